"""One comment is found again, kept up to date, and never taken from somebody else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_forge import Account, FakeForge
from forge_jobs import STRANGER, TOKEN, Side
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlci.comments import Message, Mode, post
from mlci.comments.sticky import decide, own, unchanged
from mlci.core.forge import Comment
from mlci.reporters._marker import marker

MARK = "<!-- mlci:report:churn -->"


def message(words: str = "new", *, evaluated: bool = True, quiet: bool = False) -> Message:
    return Message(f"{MARK}\n### {words}\n\n<sub>commit 1 · now</sub>\n", evaluated, quiet)


def say(side: Side, words: str = "new", mode: Mode = "update", **more: bool) -> str:
    posted = post(side.client(), 7, message(words, **more), mode)
    assert (posted.comment is None) == (posted.done == "nothing")
    return posted.done


def test_a_comment_is_added_then_updated_in_place(side: Side) -> None:
    assert say(side, "first") == "added"
    assert say(side, "second") == "updated"
    assert side.forge.bodies() == [message("second").text]


def test_the_address_of_the_comment_is_known(side: Side) -> None:
    posted = post(side.client(), 7, message(), "update")
    assert posted.comment is not None
    assert posted.comment.url.startswith("https://forge.example.org/acme/churn/")
    assert posted.comment.url.endswith(str(side.forge.comments[0].id))


def test_it_is_found_on_page_3(side: Side) -> None:
    for number in range(230):
        side.forge.add(7, STRANGER, f"comment {number}")
    mine = side.forge.add(7, side.me, message("old").text)
    for number in range(40):
        side.forge.add(7, STRANGER, f"later {number}")
    assert say(side) == "updated"
    assert mine.body == message().text
    assert len(side.forge.comments) == 271
    pages = [request.query["page"] for request in side.forge.requests if request.query.get("page")]
    assert pages == ["1", "2", "3"]


def test_a_marker_by_somebody_else_is_no_comment_of_ours(side: Side) -> None:
    forged = side.forge.add(7, STRANGER, message("### ✅ Passed").text)
    before = forged.body
    assert say(side) == "added"
    assert forged.body == before
    assert say(side, "again") == "updated"
    assert len(side.forge.comments) == 2


def test_other_comments_of_ours_are_left_alone(side: Side) -> None:
    others = [
        side.forge.add(7, side.me, body)
        for body in ("<!-- mlci:report:churn2 -->\nx", f"quoted:\n{MARK}\nx", f"> {MARK}", "text")
    ]
    before = [other.body for other in others]
    assert say(side) == "added"
    assert [other.body for other in others] == before


def test_line_ends_of_a_browser_do_not_hide_the_marker(side: Side) -> None:
    edited = side.forge.add(7, side.me, message("old").text.replace("\n", "\r\n"))
    assert say(side) == "updated"
    assert edited.body == message().text


def test_only_on_change_writes_nothing_that_says_the_same(side: Side) -> None:
    say(side, "same", "only-on-change")
    writes = len(side.forge.written())
    again = Message(message("same").text.replace("commit 1 · now", "commit 2 · later"), True, False)
    assert post(side.client(), 7, again, "only-on-change").done == "unchanged"
    assert len(side.forge.written()) == writes
    assert say(side, "other", "only-on-change") == "updated"


def test_only_on_change_adds_nothing_while_all_is_well(side: Side) -> None:
    assert say(side, "Passed", "only-on-change", quiet=True) == "nothing"
    assert side.forge.written() == []
    assert say(side, "Do not merge", "only-on-change") == "added"
    assert say(side, "Passed", "only-on-change", quiet=True) == "updated"
    assert side.forge.bodies() == [message("Passed").text]


def test_new_adds_another_comment_each_time(side: Side) -> None:
    assert [say(side, words, "new") for words in ("one", "two")] == ["added", "added"]
    assert side.forge.bodies() == [message("one").text, message("two").text]


@pytest.mark.parametrize("mode", ["update", "only-on-change", "new"])
def test_nothing_evaluated_replaces_a_verdict_and_never_begins_a_conversation(side: Side, mode: Mode) -> None:
    assert say(side, "Nothing to evaluate", mode, evaluated=False) == "nothing"
    side.forge.add(7, side.me, message("✅ Passed").text)
    assert say(side, "Nothing to evaluate", mode, evaluated=False) == "updated"
    assert side.forge.bodies() == [message("Nothing to evaluate").text]


def test_two_jobs_at_once_leave_one_comment(side: Side) -> None:
    """Both have seen that there is none before either adds theirs."""
    meeting = threading.Barrier(2, timeout=10)
    side.forge.before_storing = lambda: meeting.wait() and None
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda words: say(side, words), ["one", "two"]))
    assert done == ["added", "added"]
    assert len(side.forge.comments) == 1
    assert side.forge.bodies()[0] in (message("one").text, message("two").text)


def test_a_token_of_a_person_or_an_app_writes_as_itself(
    forge: FakeForge, github_variables: dict[str, str]
) -> None:
    forge.accounts["person"] = Account("Octocat", 1)
    forge.accounts["app"] = Account("acme-ml[bot]", 2, installation=True)
    for token in ("person", "app"):
        variables = {
            **github_variables,
            "MLCI_GITHUB_TOKEN": token,
            "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
        }
        side = Side("github", forge, forge.accounts[token], variables)
        assert [say(side, "a"), say(side, "b")] == ["added", "updated"]
    assert [comment.author.login for comment in forge.comments] == ["Octocat", "acme-ml[bot]"]
    assert TOKEN not in "".join(str(request.headers) for request in forge.requests)


def test_a_decision_needs_no_forge() -> None:
    found = [Comment(1, "me", f"{MARK}\na"), Comment(2, "me", f"{MARK}\nb")]
    assert decide(found, message(), "update").comment == found[1]
    assert own([*reversed(found), Comment(3, "ME", MARK), Comment(4, "you", MARK)], MARK, "me") == [
        *found,
        Comment(3, "ME", MARK),
    ]


def test_what_is_in_a_footer_is_no_change() -> None:
    assert unchanged("a\n\n<sub>1</sub>\nb\n", "a\r\n\r\n<sub>2</sub>\r\nb")
    assert not unchanged("a\n\n<sub>1</sub>\n", "b\n\n<sub>1</sub>\n")


@given(st.text() | st.text(alphabet="->!<- \n&#;\"'`\\"))
def test_nothing_in_a_name_breaks_out_of_the_marker(name: str) -> None:
    line = marker(name)
    assert "\n" not in line
    assert line.startswith("<!-- mlci:report:")
    assert line.find("-->") == len(line) - 3
    assert "--!>" not in line
    assert len(line) < 300
    page = MarkdownIt("commonmark", {"html": True}).render(f"{line}\n### after\n")
    assert page == f"{line}\n<h3>after</h3>\n"


@given(st.text(alphabet="ab-> "), st.text(alphabet="ab-> "))
def test_the_marker_of_one_name_is_not_that_of_a_longer_one(one: str, two: str) -> None:
    bodies = [Comment(1, "me", f"{marker(one)}\nx")]
    assert bool(own(bodies, marker(two), "me")) == (marker(one) == marker(two))
