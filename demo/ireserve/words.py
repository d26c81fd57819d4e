"""What the demo's page says itself: each language has every text, or mypy refuses it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# A sign beside a message, and what is said of it.
Passage = tuple[str, str]
# For one, and for more of them.
Counted = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageScript:
    """The texts that the page's script writes; a name in braces is filled in."""

    sending: Passage
    waiting: Passage
    unsettled: Passage
    sent: Passage
    failed: Passage
    ireserve_told: str
    not_available: str
    deleted: str
    edited: str
    from_mattermost: str
    # What the switch leads to.
    is_off: str
    still_waiting: Counted
    waiting_again: Counted
    not_delivered: Counted
    live: str
    not_reachable: str
    attach: str
    attached: Counted
    not_sent: str
    not_done: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """The texts of the page."""

    title: str
    skip: str
    and_: str
    conversation: str
    no_conversation: str
    new_conversation: str
    new: str
    mattermost_server: str
    on: str
    off: str
    side_to_show: str
    visitors_chat: str
    teams_mattermost: str
    chat_label: str
    web_chat: str
    on_page: str
    what_the_visitor_sees: str
    thread: str
    take: str
    end_chat: str
    messages: str
    no_messages: str
    begin_one: str
    message: str
    write_as: str
    send: str
    team_label: str
    channel_label: str
    not_framed: str
    open_channel: str
    visitors_name: str
    question: str
    page: str
    mirrored_into: str
    private: str
    cancel: str
    begin: str
    cure: str
    not_found: str
    why_not_found: str
    to_the_page: str
    script: PageScript

    def for_script(self) -> dict[str, Any]:
        """Return the texts that the page's script writes."""
        return asdict(self.script)


ENGLISH = PageWords(
    title="i-Reserve and Mattermost",
    skip="Skip to the web chat",
    and_="and",
    conversation="Conversation",
    no_conversation="no conversation yet",
    new_conversation="New conversation",
    new="New",
    mattermost_server="Mattermost server",
    on="on",
    off="off",
    side_to_show="Side to show",
    visitors_chat="Visitor's chat",
    teams_mattermost="Team's Mattermost",
    chat_label="The visitor's web chat",
    web_chat="Web chat",
    on_page="on {page}",
    what_the_visitor_sees="what the visitor sees",
    thread="To the thread",
    take="Take",
    end_chat="End chat",
    messages="Messages",
    no_messages="No messages yet.",
    begin_one="Begin a conversation to try it.",
    message="Message",
    write_as="Write as {name} (Enter sends)",
    send="Send",
    team_label="The team's Mattermost",
    channel_label="The team's channel in Mattermost",
    not_framed="A Mattermost server does not let other pages show it.",
    open_channel="Open the channel in a tab of its own",
    visitors_name="Visitor's name",
    question="Question",
    page="Page",
    mirrored_into="Mirrored into",
    private="private",
    cancel="Cancel",
    begin="Begin",
    cure="In a terminal, {failed} tells why, and {resend} sends again, once the server is back.",
    not_found="There is no such page",
    why_not_found="The demo forgets its conversations when it is stopped.",
    to_the_page="Go to its page",
    script=PageScript(
        sending=("…", "on its way to Mattermost"),
        waiting=("◷ waiting", "Mattermost is away; it has not been tried yet"),
        unsettled=("… sending", "the answer was lost; Mattermost is asked whether it has it"),
        sent=("✓", "in Mattermost"),
        failed=("⚠ not delivered", "Mattermost could not be reached; kept for the operator"),
        ireserve_told="i-Reserve was told: {reason}",
        not_available="not available",
        deleted="This message was deleted.",
        edited="(edited)",
        from_mattermost="from Mattermost",
        is_off=(
            "Mattermost is off. What finds it gone is not tried twice, and may fail; the rest "
            "waits until it is back."
        ),
        still_waiting=("{count} message waiting.", "{count} messages waiting."),
        waiting_again=(
            "{count} message waiting: Mattermost is tried again within half a minute.",
            "{count} messages waiting: Mattermost is tried again within half a minute.",
        ),
        not_delivered=(
            "{count} message not delivered: nothing is tried twice; an operator re-sends.",
            "{count} messages not delivered: nothing is tried twice; an operator re-sends.",
        ),
        live="live",
        not_reachable="not reachable",
        attach="Attach",
        attached=("{count} file", "{count} files"),
        not_sent="Not sent. Try again.",
        not_done="Not done. Try again.",
    ),
)

DUTCH = PageWords(
    title="i-Reserve en Mattermost",
    skip="Naar de webchat",
    and_="en",
    conversation="Gesprek",
    no_conversation="nog geen gesprek",
    new_conversation="Nieuw gesprek",
    new="Nieuw",
    mattermost_server="Mattermost-server",
    on="aan",
    off="uit",
    side_to_show="Getoonde kant",
    visitors_chat="Bezoeker",
    teams_mattermost="Team",
    chat_label="De webchat van de bezoeker",
    web_chat="Webchat",
    on_page="op {page}",
    what_the_visitor_sees="wat de bezoeker ziet",
    thread="Naar de thread",
    take="Oppakken",
    end_chat="Afsluiten",
    messages="Berichten",
    no_messages="Nog geen berichten.",
    begin_one="Begin een gesprek om het te proberen.",
    message="Bericht",
    write_as="Schrijf als {name} (Enter verstuurt)",
    send="Versturen",
    team_label="Mattermost van het team",
    channel_label="Het kanaal van het team in Mattermost",
    not_framed="Een Mattermost-server laat zich niet in andere pagina's tonen.",
    open_channel="Open het kanaal in een eigen tabblad",
    visitors_name="Naam van de bezoeker",
    question="Vraag",
    page="Pagina",
    mirrored_into="Gespiegeld naar",
    private="privé",
    cancel="Annuleren",
    begin="Beginnen",
    cure=(
        "In een terminal zegt {failed} waarom, en {resend} verstuurt opnieuw, zodra de server "
        "terug is."
    ),
    not_found="Deze pagina bestaat niet",
    why_not_found="De demo vergeet zijn gesprekken als hij wordt gestopt.",
    to_the_page="Naar de pagina van de demo",
    script=PageScript(
        sending=("…", "onderweg naar Mattermost"),
        waiting=("◷ wacht", "Mattermost is weg; er is nog niets geprobeerd"),
        unsettled=("… onderweg", "het antwoord ging verloren; Mattermost wordt ernaar gevraagd"),
        sent=("✓", "staat in Mattermost"),
        failed=("⚠ niet bezorgd", "Mattermost was niet bereikbaar; bewaard voor de beheerder"),
        ireserve_told="i-Reserve weet ervan: {reason}",
        not_available="niet beschikbaar",
        deleted="Dit bericht is verwijderd.",
        edited="(bewerkt)",
        from_mattermost="uit Mattermost",
        is_off=(
            "Mattermost staat uit. Wat nu wordt verstuurd, wordt niet nog eens geprobeerd en kan "
            "mislukken; de rest wacht tot Mattermost terug is."
        ),
        still_waiting=("{count} bericht wacht.", "{count} berichten wachten."),
        waiting_again=(
            "{count} bericht wacht: binnen een halve minuut wordt Mattermost weer geprobeerd.",
            "{count} berichten wachten: binnen een halve minuut wordt Mattermost weer geprobeerd.",
        ),
        not_delivered=(
            "{count} bericht niet bezorgd: niets wordt twee keer geprobeerd; een beheerder "
            "verstuurt het opnieuw.",
            "{count} berichten niet bezorgd: niets wordt twee keer geprobeerd; een beheerder "
            "verstuurt ze opnieuw.",
        ),
        live="live",
        not_reachable="niet bereikbaar",
        attach="Bijvoegen",
        attached=("{count} bestand", "{count} bestanden"),
        not_sent="Niet verstuurd. Probeer het nog eens.",
        not_done="Niet gelukt. Probeer het nog eens.",
    ),
)

GERMAN = PageWords(
    title="i-Reserve und Mattermost",
    skip="Zum Webchat",
    and_="und",
    conversation="Gespräch",
    no_conversation="noch kein Gespräch",
    new_conversation="Neues Gespräch",
    new="Neu",
    mattermost_server="Mattermost-Server",
    on="an",
    off="aus",
    side_to_show="Gezeigte Seite",
    visitors_chat="Besucher",
    teams_mattermost="Team",
    chat_label="Der Webchat des Besuchers",
    web_chat="Webchat",
    on_page="auf {page}",
    what_the_visitor_sees="was der Besucher sieht",
    thread="Zum Thread",
    take="Übernehmen",
    end_chat="Beenden",
    messages="Nachrichten",
    no_messages="Noch keine Nachrichten.",
    begin_one="Beginnen Sie ein Gespräch, um es auszuprobieren.",
    message="Nachricht",
    write_as="Als {name} schreiben (Enter sendet)",
    send="Senden",
    team_label="Mattermost des Teams",
    channel_label="Der Kanal des Teams in Mattermost",
    not_framed="Ein Mattermost-Server lässt sich nicht in anderen Seiten zeigen.",
    open_channel="Den Kanal in einem eigenen Tab öffnen",
    visitors_name="Name des Besuchers",
    question="Frage",
    page="Seite",
    mirrored_into="Gespiegelt nach",
    private="privat",
    cancel="Abbrechen",
    begin="Beginnen",
    cure=(
        "In einem Terminal sagt {failed}, warum, und {resend} sendet erneut, sobald der Server "
        "wieder da ist."
    ),
    not_found="Diese Seite gibt es nicht",
    why_not_found="Die Demo vergisst ihre Gespräche, wenn sie beendet wird.",
    to_the_page="Zur Seite der Demo",
    script=PageScript(
        sending=("…", "auf dem Weg zu Mattermost"),
        waiting=("◷ wartet", "Mattermost ist nicht da; es wurde noch nichts versucht"),
        unsettled=("… unterwegs", "die Antwort ging verloren; Mattermost wird danach gefragt"),
        sent=("✓", "steht in Mattermost"),
        failed=("⚠ nicht zugestellt", "Mattermost war nicht erreichbar; für den Betrieb bewahrt"),
        ireserve_told="i-Reserve weiß davon: {reason}",
        not_available="nicht verfügbar",
        deleted="Diese Nachricht wurde gelöscht.",
        edited="(bearbeitet)",
        from_mattermost="aus Mattermost",
        is_off=(
            "Mattermost ist aus. Was jetzt gesendet wird, wird kein zweites Mal versucht und kann "
            "scheitern; der Rest wartet, bis Mattermost wieder da ist."
        ),
        still_waiting=("{count} Nachricht wartet.", "{count} Nachrichten warten."),
        waiting_again=(
            "{count} Nachricht wartet: Innerhalb einer halben Minute wird es wieder versucht.",
            "{count} Nachrichten warten: Innerhalb einer halben Minute wird es wieder versucht.",
        ),
        not_delivered=(
            "{count} Nachricht nicht zugestellt: Nichts wird zweimal versucht; der Betrieb sendet "
            "sie erneut.",
            "{count} Nachrichten nicht zugestellt: Nichts wird zweimal versucht; der Betrieb "
            "sendet sie erneut.",
        ),
        live="live",
        not_reachable="nicht erreichbar",
        attach="Anhängen",
        attached=("{count} Datei", "{count} Dateien"),
        not_sent="Nicht gesendet. Bitte versuchen Sie es erneut.",
        not_done="Nicht gelungen. Bitte versuchen Sie es erneut.",
    ),
)

# By the codes of a licence's languages.
PAGE_WORDS = {"en": ENGLISH, "nl": DUTCH, "de": GERMAN}
