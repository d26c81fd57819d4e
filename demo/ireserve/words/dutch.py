"""The texts of the demo's page in Dutch."""

from __future__ import annotations

from demo.ireserve.words.page_words import PageScript, PageWords

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
