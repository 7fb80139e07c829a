"""The report in a real browser: nothing complains, every picture loads, nothing runs out of the window, cards work."""

import nanospa as ns
import pytest

from tests.extras.chromium import Browser
from tests.report.conftest import acquired_run, simulated_run
from tests.report.test_report import EVIL, EVIL_NAME

pytestmark = pytest.mark.extras

WIDTHS = [pytest.param(1280, False, id="screen"), pytest.param(390, True, id="phone")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    return ns.report.report(run, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def run():
    return simulated_run()


@pytest.mark.parametrize(("width", "mobile"), WIDTHS)
def test_opens(browser, page, width, mobile):
    browser.open(page, width=width, mobile=mobile)
    assert browser.complaints == []
    assert {address.split(":")[0] for address in browser.requests} <= {"file", "data"}
    pictures = browser.run("[...document.images].map(image => [image.alt, image.naturalWidth, image.getBoundingClientRect().width])")
    assert len(pictures) > 15
    assert [p for p in pictures if p[1] == 0] == [], "pictures that did not load"
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("innerWidth") == width


@pytest.mark.parametrize(("width", "mobile"), WIDTHS)
def test_readable(browser, page, width, mobile):
    browser.open(page, width=width, mobile=mobile)
    smallest = """Math.min(...[...document.querySelectorAll("body *")].filter(e => [...e.childNodes].some(
        n => n.nodeType == 3 && n.textContent.trim()) && e.getClientRects().length && !["SCRIPT", "NOSCRIPT"].includes(e.tagName)
        ).map(e => parseFloat(getComputedStyle(e).fontSize)))"""
    assert browser.run(smallest) >= 12
    # 10 pt text in a figure of 4.4 inch is at least 9 px high at this width.
    assert browser.run("Math.min(...[...document.querySelectorAll('.figures img')].map(i => i.getBoundingClientRect().width))") >= 320
    assert browser.run("Math.min(...[...document.querySelectorAll('.frame')].map(i => i.getBoundingClientRect().width))") >= 320
    outside = "[...document.querySelectorAll('.frame path')].filter(p => p.getBBox().width == 0).length"
    assert browser.run(outside) == 0


def test_cards(browser, page, run):
    n = run["particles"].sizes["particle"]
    browser.open(page, width=1280)
    title = "document.getElementById('card-title').textContent"
    assert browser.run(title).startswith("particle 0 ·")
    browser.run("document.getElementById('next').click()")
    assert browser.run(title).startswith("particle 1 ·")
    browser.run("for (let i = 0; i < 2; i++) document.getElementById('previous').click()")
    assert browser.run(title).startswith(f"particle {n - 1} ·")
    browser.run("document.querySelector('path[data-particle=\"5\"]').dispatchEvent(new MouseEvent('click'))")
    assert browser.run(title).startswith("particle 5 ·")
    values = browser.run("document.getElementById('card-values').textContent")
    assert f"{float(run['particles']['solidity'][5]):.4g}" in values
    assert (
        browser.run(
            "document.querySelector('#card-picture img').decode().then(() => document.querySelector('#card-picture img').naturalWidth)"
        )
        > 0
    )
    show = "document.getElementById('particle').value = {}; document.getElementById('choose').requestSubmit()"
    browser.run(show.format(7))
    assert browser.run(title).startswith("particle 7 ·")
    browser.run("document.getElementById('choose').noValidate = true;" + show.format(10**6))
    assert browser.run("document.getElementById('message').textContent") == f"There are particles 0 to {n - 1}."
    browser.run("document.getElementById('show-outlines').click()")
    assert browser.run("getComputedStyle(document.querySelector('.frame svg')).display") == "none"
    assert browser.complaints == []


@pytest.mark.parametrize(("width", "mobile"), WIDTHS)
def test_acquisition(browser, tmp_path, width, mobile):
    browser.open(ns.report.report(acquired_run(), tmp_path / "report.html"), width=width, mobile=mobile)
    assert browser.complaints == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("Math.min(...[...document.querySelectorAll('.map image, .map rect')].map(e => e.getBoundingClientRect().width))") > 5
    tip = "document.elementsFromPoint({}).find(e => e.matches('.tiles rect'))?.querySelector('title').textContent"
    place = "(r => [r.x + 3, r.y + 3])(document.querySelector('.map .imaged').getBoundingClientRect())"
    browser.run("document.querySelector('.map').scrollIntoView()")
    assert browser.run(tip.format(f"...{place}")).startswith("image ")
    for layer in ("tiles", "path", "pictures"):
        browser.run(f"document.querySelector('input[data-layer={layer}]').click()")
        assert browser.run(f"getComputedStyle(document.querySelector('.map .{layer}')).display") == "none"


def test_names_do_not_run(browser, tmp_path):
    tree = simulated_run(1)
    tree["frame_table"]["source"][:] = EVIL
    tree.attrs["nanospa"] = {"settings": {EVIL: EVIL}, EVIL: EVIL, "warnings": [EVIL]}
    tree.name = EVIL_NAME
    browser.open(ns.report.report(tree, tmp_path / "report.html"), width=1280)
    assert browser.complaints == []
    assert EVIL in browser.run("document.querySelector('.notices').textContent")


def test_the_browser_would_notice(browser, tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text("<img src='data:image/png;base64,AAAA'><div style='width: 2000px'>x</div><script>nothing()</script>")
    browser.open(broken, width=1280)
    assert any("nothing" in complaint for complaint in browser.complaints)
    assert browser.run("document.images[0].naturalWidth") == 0
    assert browser.run("document.documentElement.scrollWidth") > 1280


@pytest.mark.parametrize(("width", "mobile"), WIDTHS)
def test_models(browser, tmp_path, width, mobile):
    from tests.report.reconstruction_case import reconstruction
    from tests.report.test_reconstruction import run_with

    cases = (reconstruction("cube", 20, box=24)[0], reconstruction("sphere", 20, box=24, verdict="sphere", cluster=1)[0])
    browser.open(ns.report.report(run_with(*cases), tmp_path / "report.html"), width=width, mobile=mobile)
    assert browser.complaints == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    # On a phone two views lie beside each other, else all four.
    tops = browser.run("[...document.querySelectorAll('.views figure')].map(f => Math.round(f.getBoundingClientRect().top))")
    assert len(tops) == 4 and tops.count(tops[0]) == (2 if mobile else 4)
    # The turntable shows one picture at a time, another at the slider's other end.
    turn = "document.querySelector('.turn:not(.still)')"
    shown = f"{turn}.querySelector('.stage-turn').getBoundingClientRect().left - {turn}.querySelector('img').getBoundingClientRect().left"
    side = browser.run(f"{turn}.querySelector('.stage-turn').clientWidth")
    assert browser.run(shown) == pytest.approx(0, abs=0.5)
    browser.run(f"{turn}.querySelector('input').value = 23; {turn}.querySelector('input').dispatchEvent(new Event('input'))")
    assert browser.run(shown) == pytest.approx(23 * side, abs=2)
