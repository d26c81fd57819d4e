"""The page's two sides, as a visitor and a member of the team use them."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import FrameLocator, Locator, Page, expect


@dataclass(frozen=True, slots=True)
class Sides:
    """The page with one conversation on it: the visitor's chat, and the team's channel."""

    page: Page
    visitor: str

    @property
    def messages(self) -> Locator:
        """Return the messages that the visitor sees, oldest first."""
        return self.page.locator("#messages .message")

    @property
    def texts(self) -> list[str]:
        """Return the texts that the visitor sees at this moment."""
        return self.page.locator("#messages .text").all_inner_texts()

    @property
    def team(self) -> FrameLocator:
        """Return the frame with the team's side."""
        return self.page.frame_locator("#channel")

    @property
    def threads(self) -> Locator:
        """Return this conversation's threads: one, unless a root was deleted."""
        return self.team.locator(".thread").filter(has_text=self.visitor)

    @property
    def replies(self) -> Locator:
        """Return the replies in this conversation's newest thread, oldest first."""
        return self.threads.last.locator(".replies .post")

    def begin(self) -> None:
        """Begin the conversation in the page's dialog, and wait until the team can reply."""
        self.page.get_by_role("button", name="New conversation").click()
        self.page.get_by_label("Visitor's name").fill(self.visitor)
        self.page.get_by_role("button", name="Begin").click()
        expect(self.page.get_by_role("heading", name=f"Web chat · {self.visitor}")).to_be_visible()
        expect(self.team.locator("#target")).to_contain_text(f"Reply to: 💬 {self.visitor}")

    def write(self, text: str) -> None:
        """Write as the visitor."""
        box = self.page.get_by_label("Message", exact=True)
        box.fill(text)
        box.press("Enter")
        expect(self.messages.last).to_contain_text(text)

    def write_and_wait(self, text: str) -> Locator:
        """Write as the visitor; return the post that appears on the team's side."""
        self.write(text)
        reply = self.replies.filter(has_text=text)
        expect(reply).to_have_count(1)
        return reply

    def answer(self, text: str) -> Locator:
        """Write as the chosen member of the team; return the post."""
        box = self.team.get_by_label("Message", exact=True)
        box.fill(text)
        box.press("Enter")
        post = self.replies.filter(has_text=text)
        expect(post).to_have_count(1)
        return post

    def look_as(self, name: str) -> None:
        """Choose another member, so that the team's side shows what that member sees."""
        self.team.locator("#composer select").select_option(label=name)

    def states(self) -> list[str]:
        """Return each message's state by its class: sent, failed, waiting or sending."""
        marks = self.page.locator("#messages .passage").all()
        return [(mark.get_attribute("class") or "").removeprefix("passage ") for mark in marks]
