"""What does not fit goes by importance, whole, and is said."""

from bot.report.fit import COMMENT_LIMIT, Piece, first_that_fit, kept, units, utf8
from bot.report.markdown import comment, summary
from tests.report.github import tree
from tests.report.situations import SITUATIONS


def test_the_least_important_go_first_and_nothing_overtakes() -> None:
    pieces = [
        Piece("a", "gates", 90, 45),
        Piece("a", "facts", 10, 5),
        Piece("b", "gates", 90, 45),
        Piece("b", "curve", 50, 20),
    ]
    assert kept(pieces, 100) == {("a", "gates"), ("b", "gates")}
    assert kept(pieces, 110) == {("a", "gates"), ("b", "gates"), ("b", "curve")}
    assert kept(pieces, 200) == {(one.owner, one.id) for one in pieces}
    assert kept(pieces, 0) == set()


def test_one_huge_section_keeps_out_only_its_own_models_sections() -> None:
    pieces = [
        Piece("a", "gates", 90, 1000),
        Piece("a", "facts", 10, 5),
        Piece("b", "gates", 90, 40),
        Piece("b", "facts", 10, 5),
    ]
    assert kept(pieces, 100) == {("b", "gates"), ("b", "facts")}


def test_characters_are_counted_as_github_does_at_worst() -> None:
    assert units("aé✅😀") == 5  # the last one is two UTF-16 code units
    assert utf8("aé✅😀") == 1 + 2 + 3 + 4
    assert first_that_fit(["aa", "bb", "c"], 3, units) == ["aa"]


def test_a_comment_of_a_hundred_models_fits_and_says_what_is_elsewhere() -> None:
    report = SITUATIONS["hundred-models"]()
    made = comment(report)
    assert 0.8 * COMMENT_LIMIT < units(made) <= COMMENT_LIMIT
    assert "sections did not fit into this page" in made
    assert report.run and report.run.page_url in made
    assert "store_099" in made
    assert "did not fit" not in summary(report)


def test_tables_are_whole_at_every_limit() -> None:
    """Every row that is there has all its cells, whatever the limit."""
    report = SITUATIONS["hundred-models"]()
    for limit in (30_000, 5_000):
        made = comment(report, limit=limit)
        assert units(made) <= limit
        for table in tree(made).iter("table"):
            widths = {len(list(row)) for row in table.iter("tr")}
            assert len(widths) == 1
        assert made.count("<details>") == made.count("</details>")
        assert made.count("```") % 2 == 0


def test_a_page_that_fits_leaves_nothing_out() -> None:
    assert all("did not fit" not in comment(SITUATIONS[name]()) for name in SITUATIONS if name != "hundred-models")
