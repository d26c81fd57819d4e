"""What we say in Mattermost, in Dutch; members are addressed as "je"."""

from tasks.rendering.wording import FileReasons, Wording

DUTCH = Wording(
    months=(
        *("jan.", "feb.", "mrt.", "apr.", "mei", "jun."),
        *("jul.", "aug.", "sep.", "okt.", "nov.", "dec."),
    ),
    moment="{day} {month} {year} {time}",
    unnamed_visitor="Bezoeker zonder naam",
    unnamed_agent="Medewerker zonder naam",
    unnamed_bot="Bot zonder naam",
    started="Begonnen op {moment}",
    new="Nieuw",
    waiting="Wacht",
    answered="Beantwoord",
    taken="Opgepakt",
    snoozed="Uitgesteld",
    closed="Gesloten",
    by="door {name}",
    since="sinds {moment}",
    at="op {moment}",
    waiting_beside="wacht sinds {moment}",
    reply_prefix="antwoord:",
    prefix_wanted="🔒 alleen wat met {prefix} begint, gaat naar de bezoeker",
    alerts_only="🔒 wat hier geschreven wordt, gaat niet naar de bezoeker",
    open_in_ireserve="Openen in i-Reserve",
    continues="Dit is het vervolg van een eerdere thread, die is verwijderd.",
    note="interne notitie",
    sent="verstuurd op {moment}",
    file_of="bestand {first} van {total}",
    files_of="bestanden {first}–{last} van {total}",
    file_missing="{name} kon niet worden meegestuurd: {reason}",
    file_reasons=FileReasons(
        gone="het bestand bestaat niet meer",
        too_large="het bestand is groter dan deze server toestaat",
        empty="het bestand is leeg",
        host_not_allowed="de link verwijst naar een server die niet is toegestaan",
        not_https="de link begint niet met https",
        outside_store="het pad ligt buiten de opslag voor bijlagen",
        bad_redirect="de link stuurt door naar een adres dat niet mag worden opgehaald",
        link_refused="de link werkt niet of niet meer",
        web_page="de link leidt naar een webpagina (om in te loggen?), niet naar het bestand",
        compressed="de server stuurt het bestand gecomprimeerd, terwijl daar niet om is gevraagd",
        download_failed="het bestand kon niet worden gedownload",
        download_timeout="het downloaden duurde te lang",
        store_unavailable="de opslag voor bijlagen is niet bereikbaar",
        no_time_left="de bestanden van dit bericht kostten te veel tijd",
        stopped="de verwerking is onderbroken",
        larger_than="het bestand is groter dan de {size} die deze server toestaat",
        image_too_large="de afbeelding heeft meer pixels dan deze server toestaat",
        uploads_disabled="bestanden uploaden is op deze server uitgeschakeld",
        not_a_member="de bot mag in dit kanaal geen bestanden uploaden",
        rejected_by_plugin="een plug-in van deze server heeft het bestand geweigerd",
        not_taken="de server heeft het bestand niet aangenomen",
        lost_by_server="de server nam het bestand aan, maar voegde het daarna niet toe",
        not_copied="het bestand kon niet worden overgenomen uit de verwijderde thread",
    ),
    one_more_field="… (nog 1 veld)",
    more_fields="… (nog {count} velden)",
    more_characters="… (nog {count} tekens)",
    hint=(
        "❔ Geen bezoeker heeft dit bericht ontvangen: het staat in geen enkele gespreksthread. "
        "Wil je een bezoeker antwoorden, reageer dan in de thread van het gesprek. "
        "(Deze hint krijg je hooguit één keer per dag.)"
    ),
    round_trip=(
        "Test van de verbinding naar i-Reserve en terug; dit bericht wordt meteen verwijderd."
    ),
)
