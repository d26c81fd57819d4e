"""The application's own texts in Mattermost, in German; members are addressed as "Sie"."""

from tasks.rendering.wording import FileReasons, Wording

GERMAN = Wording(
    months=("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"),
    moment="{day:02}.{month}.{year}, {time} Uhr",
    unnamed_visitor="Besucher ohne Namen",
    unnamed_agent="Mitarbeiter ohne Namen",
    unnamed_bot="Bot ohne Namen",
    started="Begonnen am {moment}",
    new="Neu",
    waiting="Wartet",
    answered="Beantwortet",
    taken="Übernommen",
    snoozed="Zurückgestellt",
    closed="Geschlossen",
    by="von {name}",
    since="seit {moment}",
    at="am {moment}",
    waiting_beside="wartet seit {moment}",
    reply_prefix="antwort:",
    prefix_wanted="🔒 nur was mit {prefix} beginnt, geht an den Besucher",
    alerts_only="🔒 was hier geschrieben wird, geht nicht an den Besucher",
    open_in_ireserve="In i-Reserve öffnen",
    continues="Dies ist die Fortsetzung eines früheren Threads, der gelöscht wurde.",
    note="interne Notiz",
    sent="gesendet am {moment}",
    file_of="Datei {first} von {total}",
    files_of="Dateien {first}–{last} von {total}",
    file_missing="{name} konnte nicht angehängt werden: {reason}",
    file_reasons=FileReasons(
        gone="die Datei ist nicht mehr vorhanden",
        too_large="die Datei ist größer, als dieser Server erlaubt",
        empty="die Datei ist leer",
        host_not_allowed="der Link führt zu einem Server, der nicht erlaubt ist",
        not_https="der Link beginnt nicht mit https",
        outside_store="der Pfad liegt außerhalb des Speichers für Anhänge",
        bad_redirect="der Link leitet zu einer Adresse weiter, die nicht abgerufen werden darf",
        link_refused="der Link lässt sich nicht oder nicht mehr öffnen",
        web_page="der Link führt zu einer Webseite (zum Anmelden?), nicht zur Datei",
        compressed="der Server sendet die Datei komprimiert, obwohl das nicht verlangt war",
        download_failed="die Datei konnte nicht heruntergeladen werden",
        download_timeout="das Herunterladen dauerte zu lange",
        store_unavailable="der Speicher für Anhänge ist nicht erreichbar",
        no_time_left="die Dateien dieser Nachricht brauchten zu viel Zeit",
        stopped="die Verarbeitung wurde unterbrochen",
        larger_than="die Datei ist größer als die {size}, die dieser Server erlaubt",
        image_too_large="das Bild hat mehr Pixel, als dieser Server erlaubt",
        uploads_disabled="das Hochladen von Dateien ist auf diesem Server abgeschaltet",
        not_a_member="der Bot darf in diesem Kanal keine Dateien hochladen",
        rejected_by_plugin="ein Plug-in dieses Servers hat die Datei abgelehnt",
        not_taken="der Server hat die Datei nicht angenommen",
        lost_by_server="der Server nahm die Datei an und hängte sie dann nicht an",
        not_copied="die Datei konnte nicht aus dem gelöschten Thread übernommen werden",
    ),
    missing_one="Vor dieser Nachricht fehlt hier 1 Nachricht",
    missing_more="Vor dieser Nachricht fehlen hier {count} Nachrichten",
    maybe_missing_one=(
        "Vor dieser Nachricht fehlt hier vielleicht 1 Nachricht oder ein Teil von ihr"
    ),
    maybe_missing_more=(
        "Vor dieser Nachricht fehlen hier vielleicht {count} Nachrichten oder Teile von ihnen"
    ),
    missing_where="Sie steht in i-Reserve.",
    missing_where_more="Sie stehen in i-Reserve.",
    of_visitor="Besucher",
    of_agent="Mitarbeiter",
    of_bot="Chatbot",
    of_unknown="unbekannter Absender",
    not_reached="Mattermost war nicht erreichbar",
    had_trouble="in Mattermost gab es eine Störung",
    refused="Mattermost hat die Annahme verweigert",
    switched_off="die Verbindung zu Mattermost war abgeschaltet",
    not_showable="i-Reserve hat etwas gesendet, das sich nicht anzeigen lässt",
    own_error="unterwegs ist ein Fehler aufgetreten",
    one_more_field="… (1 weiteres Feld)",
    more_fields="… ({count} weitere Felder)",
    more_characters="… ({count} weitere Zeichen)",
    hint=(
        "❔ Diese Nachricht hat kein Besucher erhalten: Sie steht in keinem Gesprächs-Thread. "
        "Um einem Besucher zu antworten, schreiben Sie bitte in den Thread dieses Gesprächs. "
        "(Dieser Hinweis kommt höchstens einmal am Tag.)"
    ),
    round_trip=(
        "Test der Verbindung zu i-Reserve und zurück; diese Nachricht wird sofort wieder entfernt."
    ),
)
