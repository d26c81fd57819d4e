"""The texts of the demo's page in German."""

from __future__ import annotations

from demo.ireserve.words.page_words import PageScript, PageWords

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
