"""Each team reads its own language and time zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rendering import (
    DEFAULT_LOCALE,
    WORDINGS,
    Card,
    CardState,
    Language,
    Locale,
    render_card,
    render_files_header,
    render_notification,
    render_reply,
)
from tasks.rendering.authors import author_name
from tasks.rendering.posts import MAX_SENT_LENGTH, MIN_MESSAGE_LENGTH, Role
from tasks.rendering.wording import Wording

DUTCH = Locale.of(language="nl", time_zone="Europe/Amsterdam")
GERMAN = Locale.of(language="de", time_zone="Europe/Berlin")
WINTER = datetime(2026, 11, 26, 3, 5, tzinfo=UTC)
LOCALES = st.builds(
    Locale.of,
    language=st.sampled_from(Language),
    time_zone=st.sampled_from(["UTC", "Europe/Amsterdam", "America/St_Johns", "Asia/Kathmandu"]),
)


@pytest.mark.parametrize(
    ("language", "time_zone", "moment", "text"),
    [
        ("en", "UTC", WINTER, "26 Nov 2026 03:05 UTC"),
        ("en", "Europe/London", WINTER, "26 Nov 2026 03:05"),
        ("nl", "Europe/Amsterdam", WINTER, "26 nov. 2026 04:05"),
        ("nl", "Europe/Amsterdam", datetime(2026, 5, 1, 22, 30, tzinfo=UTC), "2 mei 2026 00:30"),
        ("de", "Europe/Berlin", WINTER, "26.11.2026, 04:05 Uhr"),
        ("de", "UTC", datetime(2026, 3, 1, tzinfo=UTC), "01.03.2026, 00:00 Uhr UTC"),
        ("nl", "America/New_York", datetime(2027, 1, 1, 2, tzinfo=UTC), "31 dec. 2026 21:00"),
    ],
)
def test_moment_is_told_as_the_team_reads_it(
    language: str, time_zone: str, moment: datetime, text: str
) -> None:
    """A time is shown in the team's language and zone, with summer time."""
    assert Locale.of(language=language, time_zone=time_zone).moment(moment) == text


def test_the_hour_that_comes_twice_says_which_one_it_is() -> None:
    """The hour that comes twice when summer time ends is shown with its difference from UTC."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    told = [DUTCH.moment(first + timedelta(hours=number)) for number in range(-1, 3)]

    assert told == [
        "25 okt. 2026 01:30",
        "25 okt. 2026 02:30 (UTC+2)",
        "25 okt. 2026 02:30 (UTC+1)",
        "25 okt. 2026 03:30",
    ]
    newfoundland = Locale.of(language="nl", time_zone="America/St_Johns")
    twice = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert newfoundland.moment(twice) == "1 nov. 2026 01:30 (UTC-2:30)"


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "a\0b", "Europe"])
def test_what_this_installation_does_not_know_is_english_or_utc(zone: str) -> None:
    """An unknown language becomes English and an unknown zone UTC, so that no message fails."""
    assert Locale.of(language="fy", time_zone=zone) == DEFAULT_LOCALE


@given(LOCALES, st.integers(0, 4_000_000_000))
def test_what_is_said_of_a_late_message_has_its_room(locale: Locale, seconds: int) -> None:
    """The time of a late message fits the room that each post keeps for it, in every locale."""
    said = locale.wording.sent.format(moment=locale.moment(datetime.fromtimestamp(seconds, UTC)))

    assert len(f" · {said}") <= MAX_SENT_LENGTH


@given(
    name=st.sampled_from(["", "Jan", "_" * 90]),
    role=st.sampled_from(["visitor", "agent"]),
    locales=st.tuples(LOCALES, LOCALES),
    is_late=st.booleans(),
    length=st.integers(MIN_MESSAGE_LENGTH - 300, MIN_MESSAGE_LENGTH + 300),
)
def test_text_is_cut_alike_for_every_team(
    name: str, role: Role, locales: tuple[Locale, Locale], is_late: bool, length: int
) -> None:
    """A text is cut at the same places in every locale, so that another worker can continue it."""

    def bodies(locale: Locale, sent_at: datetime | None) -> list[str]:
        parts = render_reply(
            sender_name=name, sender_role=role, text="a" * length, locale=locale, sent_at=sent_at,
            max_length=MIN_MESSAGE_LENGTH,
        )  # fmt: skip
        assert max(map(len, parts)) <= MIN_MESSAGE_LENGTH
        return [part.rpartition("\n")[2] for part in parts]

    assert bodies(locales[0], None) == bodies(locales[1], WINTER if is_late else None)


CARD = Card(
    conversation_id="17",
    visitor_name="",
    since=WINTER,
    assignee="Anna",
    started_at=WINTER,
    conversation_url="https://i.example/1",
    continues=True,
)


@pytest.mark.parametrize(
    ("state", "dutch", "german"),
    [
        (
            CardState.NEW,
            "Begonnen op 26 nov. 2026 04:05",
            "Begonnen am 26.11.2026, 04:05 Uhr",
        ),
        (
            CardState.WAITING,
            "Wacht sinds 26 nov. 2026 04:05",
            "Wartet seit 26.11.2026, 04:05 Uhr",
        ),
        (
            CardState.ANSWERED,
            "Beantwoord op 26 nov. 2026 04:05",
            "Beantwortet am 26.11.2026, 04:05 Uhr",
        ),
        (
            CardState.TAKEN,
            "Opgepakt door Anna op 26 nov. 2026 04:05",
            "Übernommen von Anna am 26.11.2026, 04:05 Uhr",
        ),
        (
            CardState.SNOOZED,
            "Uitgesteld door Anna op 26 nov. 2026 04:05",
            "Zurückgestellt von Anna am 26.11.2026, 04:05 Uhr",
        ),
        (
            CardState.CLOSED,
            "Gesloten door Anna op 26 nov. 2026 04:05",
            "Geschlossen von Anna am 26.11.2026, 04:05 Uhr",
        ),
    ],
    ids=lambda value: value if isinstance(value, CardState) else "",
)
def test_card_is_in_the_team_s_language(state: CardState, dutch: str, german: str) -> None:
    """State, name and time of a card are one sentence in each language."""
    card = replace(CARD, state=state)

    assert render_card(card, locale=DUTCH)[1]["text"] == dutch
    assert render_card(card, locale=GERMAN)[1]["text"] == german


def test_other_texts_of_a_card_are_translated() -> None:
    """The other texts of a card are in the team's language."""
    card = replace(CARD, state=CardState.TAKEN, waiting_since=WINTER)

    message, attachment = render_card(card, locale=DUTCH)

    assert message.splitlines() == [
        "🟢 **Bezoeker zonder naam**",
        "`17` · [Openen in i-Reserve](https://i.example/1)",
        "↪ _Dit is het vervolg van een eerdere thread, die is verwijderd._",
    ]
    assert attachment["text"].endswith(" · wacht sinds 26 nov. 2026 04:05")


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
def test_posts_and_notifications_say_nothing_but_the_table(wording: Wording) -> None:
    """In each language, all renderers use only the texts of its table."""
    locale = Locale(wording)

    (reply,) = render_reply(
        sender_name="", sender_role="agent", text="", locale=locale, sent_at=WINTER
    )
    files = render_files_header(
        sender_name="", sender_role="visitor", first=11, last=12, total=12, locale=locale
    )
    fields = [(str(number), "a" * 16_000) for number in range(30)]
    attachment = render_notification(
        text="a" * 20_000, fields=fields, locale=locale, max_length=16_383
    )

    sent = wording.sent.format(moment=locale.moment(WINTER))
    assert reply == f"🎧 **{wording.unnamed_agent}** (i-Reserve) · {sent}"
    assert files == (
        f"🙋 **{wording.unnamed_visitor}** · "
        + wording.files_of.format(first=11, last=12, total=12)
    )
    assert author_name("", role="visitor", locale=locale) == f"🙋 {wording.unnamed_visitor}"
    ending = wording.more_characters.partition("{count}")
    assert ending[0] in attachment["text"]
    assert attachment["text"].endswith(ending[2])
    missing = len(fields) - len(attachment["fields"]) + 1
    assert attachment["fields"][-1]["value"] == wording.more_fields.format(count=missing)
