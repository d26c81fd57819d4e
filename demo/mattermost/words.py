"""The texts of the stand-in's page in each language, close to the web client's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# The singular and the plural.
Counted = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientScript:
    """The texts that the page's script writes; a name in braces is filled in."""

    no_messages: str
    live: str
    not_reachable: str
    reply_to: str
    new_thread: str
    only_you: str
    attach: str
    attached: Counted
    with_replies: str
    action_failed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWords:
    """The texts of the page."""

    stand_in: str
    skip: str
    channels: str
    threads: str
    archived: str
    private: str
    public: str
    archived_channel: str
    private_channel: str
    public_channel: str
    connecting: str
    messages: str
    loading: str
    new_thread_instead: str
    message: str
    write_to: str
    write_as: str
    send: str
    delete_question: str
    cancel: str
    delete: str
    delete_of: str
    reply: str
    reply_to_author: str
    replies: str
    so_far: str
    edited: str
    followed_by: str
    not_collapsed: str
    loading_threads: str
    new_replies: Counted
    reply_count: Counted
    no_threads: str
    teams_and_channels: str
    about: str
    no_channels: str
    no_teams: str
    nothing_to_send: str
    no_command: str
    action_failed: str
    script: ClientScript

    def for_script(self) -> dict[str, Any]:
        """Return the texts that the page's script writes."""
        return asdict(self.script)


def counted(texts: Counted, count: int) -> str:
    """Return the singular or plural text with this count."""
    return texts[0 if count == 1 else 1].format(count=count)


ENGLISH = ClientWords(
    stand_in="stand-in",
    skip="Skip to the messages",
    channels="Channels",
    threads="Threads",
    archived="archived",
    private="private",
    public="public",
    archived_channel="archived channel",
    private_channel="private channel",
    public_channel="public channel",
    connecting="connecting…",
    messages="Messages",
    loading="Loading the messages…",
    new_thread_instead="New thread instead",
    message="Message",
    write_to="Write to {name} (Enter sends, Shift+Enter makes a new line)",
    write_as="as",
    send="Send",
    delete_question="Delete this message?",
    cancel="Cancel",
    delete="Delete",
    delete_of="Delete the message of {name}",
    reply="Reply",
    reply_to_author="Reply to {name}",
    replies="Replies",
    so_far="Reply · {count} so far",
    edited="Edited",
    followed_by="followed by",
    not_collapsed=(
        "Threads are not collapsed on this server: members are notified of replies as of any post."
    ),
    loading_threads="Loading the threads…",
    new_replies=("{count} new reply", "{count} new replies"),
    reply_count=("{count} reply", "{count} replies"),
    no_threads="No followed threads yet.",
    teams_and_channels="Teams and channels",
    about=(
        "This server answers as Mattermost {version} does, for tests and demonstrations. "
        "It has no sign-in: keep it on your own machine."
    ),
    no_channels="No channels yet.",
    no_teams="No teams yet.",
    nothing_to_send="Nothing to send.",
    no_command=(
        "Command with a trigger of '{word}' not found. Send again to send it as a message."
    ),
    action_failed="Action integration error.",
    script=ClientScript(
        no_messages="No messages yet.",
        live="live",
        not_reachable="not reachable",
        reply_to="Reply to: {title}",
        new_thread="New thread",
        only_you="Only visible to you: {text}",
        attach="Attach",
        attached=("{count} file", "{count} files"),
        with_replies="Its replies ({count}) go with it.",
        action_failed="Action integration error.",
    ),
)

DUTCH = ClientWords(
    stand_in="stand-in",
    skip="Naar de berichten",
    channels="Kanalen",
    threads="Threads",
    archived="gearchiveerd",
    private="privé",
    public="openbaar",
    archived_channel="gearchiveerd kanaal",
    private_channel="privékanaal",
    public_channel="openbaar kanaal",
    connecting="verbinden…",
    messages="Berichten",
    loading="De berichten worden geladen…",
    new_thread_instead="Nieuwe thread",
    message="Bericht",
    write_to="Schrijf in {name} (Enter verstuurt, Shift+Enter begint een nieuwe regel)",
    write_as="als",
    send="Versturen",
    delete_question="Dit bericht verwijderen?",
    cancel="Annuleren",
    delete="Verwijderen",
    delete_of="Bericht van {name} verwijderen",
    reply="Reageren",
    reply_to_author="Reageren op {name}",
    replies="Reacties",
    so_far="Reageren · al {count}",
    edited="Bewerkt",
    followed_by="gevolgd door",
    not_collapsed=(
        "Op deze server zijn threads niet ingeklapt: leden horen van reacties als van elk bericht."
    ),
    loading_threads="De threads worden geladen…",
    new_replies=("{count} nieuwe reactie", "{count} nieuwe reacties"),
    reply_count=("{count} reactie", "{count} reacties"),
    no_threads="Nog geen gevolgde threads.",
    teams_and_channels="Teams en kanalen",
    about=(
        "Deze server antwoordt als Mattermost {version}, voor tests en demonstraties. "
        "Aanmelden hoeft niet: houd hem op je eigen computer."
    ),
    no_channels="Nog geen kanalen.",
    no_teams="Nog geen teams.",
    nothing_to_send="Er is niets om te versturen.",
    no_command=("Er is geen opdracht '{word}'. Verstuur nog eens om het als bericht te versturen."),
    action_failed="De actie is mislukt.",
    script=ClientScript(
        no_messages="Nog geen berichten.",
        live="live",
        not_reachable="niet bereikbaar",
        reply_to="Reactie op: {title}",
        new_thread="Nieuwe thread",
        only_you="Alleen voor jou zichtbaar: {text}",
        attach="Bijvoegen",
        attached=("{count} bestand", "{count} bestanden"),
        with_replies="De reacties ({count}) verdwijnen ook.",
        action_failed="De actie is mislukt.",
    ),
)

GERMAN = ClientWords(
    stand_in="Stand-in",
    skip="Zu den Nachrichten",
    channels="Kanäle",
    threads="Threads",
    archived="archiviert",
    private="privat",
    public="öffentlich",
    archived_channel="archivierter Kanal",
    private_channel="privater Kanal",
    public_channel="öffentlicher Kanal",
    connecting="verbindet…",
    messages="Nachrichten",
    loading="Die Nachrichten werden geladen…",
    new_thread_instead="Neuer Thread",
    message="Nachricht",
    write_to="In {name} schreiben (Enter sendet, Umschalt+Enter beginnt eine neue Zeile)",
    write_as="als",
    send="Senden",
    delete_question="Diese Nachricht löschen?",
    cancel="Abbrechen",
    delete="Löschen",
    delete_of="Nachricht von {name} löschen",
    reply="Antworten",
    reply_to_author="{name} antworten",
    replies="Antworten",
    so_far="Antworten · bisher {count}",
    edited="Bearbeitet",
    followed_by="gefolgt von",
    not_collapsed=(
        "Auf diesem Server sind Threads nicht eingeklappt: Mitglieder erfahren von Antworten wie "
        "von jeder Nachricht."
    ),
    loading_threads="Die Threads werden geladen…",
    new_replies=("{count} neue Antwort", "{count} neue Antworten"),
    reply_count=("{count} Antwort", "{count} Antworten"),
    no_threads="Noch keine gefolgten Threads.",
    teams_and_channels="Teams und Kanäle",
    about=(
        "Dieser Server antwortet wie Mattermost {version}, für Tests und Vorführungen. "
        "Er kennt keine Anmeldung: Lassen Sie ihn auf Ihrem eigenen Rechner."
    ),
    no_channels="Noch keine Kanäle.",
    no_teams="Noch keine Teams.",
    nothing_to_send="Es gibt nichts zu senden.",
    no_command=(
        "Es gibt keinen Befehl '{word}'. Senden Sie erneut, um es als Nachricht zu senden."
    ),
    action_failed="Die Aktion ist fehlgeschlagen.",
    script=ClientScript(
        no_messages="Noch keine Nachrichten.",
        live="live",
        not_reachable="nicht erreichbar",
        reply_to="Antwort auf: {title}",
        new_thread="Neuer Thread",
        only_you="Nur für Sie sichtbar: {text}",
        attach="Anhängen",
        attached=("{count} Datei", "{count} Dateien"),
        with_replies="Ihre Antworten ({count}) verschwinden mit ihr.",
        action_failed="Die Aktion ist fehlgeschlagen.",
    ),
)

# By the values of the server's setting DefaultClientLocale.
CLIENT_WORDS = {"en": ENGLISH, "nl": DUTCH, "de": GERMAN}
