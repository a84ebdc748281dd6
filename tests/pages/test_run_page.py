"""The page of a run, as a person sees and uses it."""

from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible, eventually
from trainyard.errors import NanLoss
from trainyard.runs.events import SignalApplied, to_dict
from trainyard.runs.failures import failure
from trainyard.runs.record import Run
from trainyard.storage.epoch_overlays import overlay_file
from trainyard.store.processes.worker_record import DeviceFigures, WorkerState
from trainyard.store.processes.workers import WorkerStore

RUNS = "/api/v1/runs"
PLOT = "document.querySelectorAll('.chart')[0]?.plot"
VIEW = f"{PLOT}?.view"
CURVE = f"name => {VIEW}?.lines.find(line => line.name === name && !line.isFaint)"


@pytest.fixture(scope="module")
def dataset_id(server: Server) -> str:
    return seed.dataset(server, "nuclei")


@pytest.fixture
def held(server: Server, dataset_id: str) -> Run:
    """A run that trains."""
    seed.run(server, dataset_id, name=seed.HOSTILE)
    found = seed.train(server, seed.begin(server), 12)
    server.runs.report(found, seed.progress(13, 99))
    return found


@pytest.fixture
def shown(page: Page, held: Run) -> Page:
    """Its page, with curves."""
    page.goto(f"/runs/{held.id}")
    eventually(page, "document.querySelectorAll('canvas[data-drawn]').length >= 4")
    return page


def points(page: Page, name: str) -> int:
    return int(page.evaluate(f"({CURVE})('{name}').xs.length"))


def test_it_tells_where_the_run_stands(shown: Page, held: Run):
    stand = shown.locator("#stand")
    for words in ("train", "13 / 40", "99", "212.5", "6 min 40 s", "6 min 00 s to 8 min 00 s"):
        expect(stand).to_contain_text(words)
    expect(shown.locator("h1")).to_contain_text(seed.HOSTILE)
    expect(shown.locator("#attempts li")).to_contain_text("in work")
    assert shown.locator("main script, main img").count() == 0
    assert_accessible(shown)


def drag(page: Page, start: float, end: float) -> None:
    """Draw out a stretch of the first chart by mouse, between two epochs."""
    box = page.locator(".plot-field").first.bounding_box()
    assert box
    for epoch, then in ((start, page.mouse.down), (end, page.mouse.up)):
        across = page.evaluate(f"{PLOT}.x.place({epoch})")
        page.mouse.move(box["x"] + across, box["y"] + 60)
        then()


def test_curves_grow_by_what_is_new_and_keep_their_zoom(shown: Page, held: Run, server: Server):
    assert points(shown, "train_loss") == 12
    drag(shown, 2, 8)
    eventually(shown, "location.search.includes('zoom=2')")
    with shown.expect_response(lambda answer: "/metrics/series" in answer.url) as fetched:
        server.runs.publish_status(seed.train(server, held, 14))
    assert "since=" in fetched.value.url
    assert [len(one["epochs"]) for one in fetched.value.json()["items"]] == [2] * 12
    eventually(shown, f"({CURVE})('train_loss').xs.length === 14")
    drawn = "[...document.querySelectorAll('canvas[data-drawn]')]"
    ranges = shown.evaluate(f"{drawn}.map(one => one.closest('.chart').plot.view.zoom)")
    assert ranges == [[pytest.approx(2, abs=0.1), pytest.approx(8, abs=0.1)]] * 4
    expect(shown.locator("#stand")).to_contain_text("14")
    shown.reload()
    eventually(shown, f"Math.abs({VIEW}?.zoom?.[1] - 8) < 0.1")
    shown.get_by_role("button", name="Show all").click()
    eventually(shown, "!location.search.includes('zoom')")
    eventually(shown, f"{PLOT}.x.to === 14")
    server.runs.publish_status(seed.train(server, held, 15))
    eventually(shown, f"{PLOT}.x.to === 15")


def test_each_class_has_a_curve_of_its_own(shown: Page):
    shown.get_by_role("heading", name="IoU of each class").scroll_into_view_if_needed()
    eventually(shown, "document.querySelectorAll('.chart')[4].plot.view?.lines.length === 2")
    names = shown.evaluate("document.querySelectorAll('.chart')[4].plot.view.lines.map(one => one.name)")
    assert names == ["background", "pet"]
    values = shown.evaluate("document.querySelectorAll('.chart')[4].plot.view.lines[1].ys")
    assert values == pytest.approx([seed.row(epoch)["val_iou/pet"] for epoch in range(1, 13)])


def test_what_the_device_does_is_told_beside_the_run(shown: Page, held: Run, server: Server):
    assert held.owner
    figures = DeviceFigures(
        name="NVIDIA H200", memory_used_bytes=6_000_000_000, memory_total_bytes=141_000_000_000,
        utilization=0.87, temperature_c=61,
    )  # fmt: skip
    worker = WorkerState(
        id=held.owner, host="h", pid=1, queues=("cpu",), device="NVIDIA H200", memory_bytes=1, started_at=1.0,
        figures=(figures,),
    )  # fmt: skip
    WorkerStore(server.client).beat(worker)
    shown.reload()
    expect(shown.locator("#devices")).to_have_text("NVIDIA H200: 87.0 % busy, 6.0 GB of 141.0 GB, 61 °C")


def test_a_run_is_described(shown: Page, held: Run, server: Server):
    shown.get_by_role("button", name="Describe…").click()
    dialog = shown.get_by_role("dialog")
    dialog.get_by_label("Name").fill("winter")
    dialog.get_by_label("Tags").fill("a, b c,")
    dialog.get_by_label("Group").fill("sweep")
    dialog.get_by_label("Notes").fill("first line\n<b>second</b>")
    dialog.get_by_role("button", name="Save").click()
    expect(shown.locator("h1")).to_contain_text("winter")
    expect(shown.locator("#notes")).to_have_text("first line\n<b>second</b>")
    expect(shown.locator("#tags")).to_contain_text("group sweep")
    assert_accessible(shown)
    found = server.http.get(f"{RUNS}/{held.id}").json()
    assert (found["tags"], found["group"]) == (["a", "b c"], "sweep")
    shown.get_by_role("button", name="Describe…").click()
    for field in ("Tags", "Group", "Notes"):
        dialog.get_by_label(field).fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(shown.locator("#notes p")).to_have_count(0)
    found = server.http.get(f"{RUNS}/{held.id}").json()
    assert (found["name"], found["tags"], found["group"], found["notes"]) == ("winter", [], None, "")


def test_the_report_is_read_in_place_and_can_do_nothing(page: Page, held: Run, server: Server):
    folder = server.storage.run(held.id)
    (folder.path / "report.html").write_text(
        "<!doctype html><title>r</title><style>h1 { color: #123456; }</style><h1>Scores</h1>"
        "<script>parent.document.title = 'stolen'</script>"
        f"<form action='/api/v1/runs/{held.id}/cancel' method='post'><button>Cancel</button></form>"
    )
    server.runs.finish(held, "completed", result={})
    page.goto(f"/runs/{held.id}")
    page.locator("summary", has_text="Evaluation report").click()
    report = page.frame_locator("iframe.report")
    expect(report.get_by_role("heading")).to_have_text("Scores")
    assert report.get_by_role("heading").evaluate("h => getComputedStyle(h).color") == "rgb(18, 52, 86)"
    report.get_by_role("button").click()
    assert page.title() != "stolen"
    assert server.http.get(f"{RUNS}/{held.id}").json()["status"] == "completed"


def test_axes_and_smoothing_are_in_the_address(shown: Page):
    shown.get_by_label("logarithmic").first.check()
    shown.locator("#x").select_option("time")
    shown.locator("#smooth").fill("0.6")
    eventually(shown, "location.search.includes('smooth=0.6')")
    assert "log=loss" in shown.url
    assert "x=time" in shown.url
    assert "smooth=0.6" in shown.url
    shown.reload()
    eventually(shown, f"({CURVE})('train_loss')")
    assert shown.evaluate(f"{PLOT}.y.isLog")
    assert shown.evaluate(f"({CURVE})('train_loss').xs[1]") == pytest.approx(2 * 12.5 / 60)
    faint = shown.evaluate(f"{VIEW}.lines.filter(one => one.isFaint)")
    assert [one["ys"][0] for one in faint] == [seed.row(1)["train_loss"], seed.row(1)["val_loss"]]


def test_smoothing_has_no_bias_and_keeps_gaps(shown: Page):
    smoothed = """async ([values, weight, isLog]) => {
        const base = document.querySelector('script[type=module]').src;
        const { smoothed } = await import(new URL('../charts/smoothing.js', base));
        return [...smoothed(values, weight, isLog)].map((value) => Number.isNaN(value) ? null : value);
    }"""
    assert shown.evaluate(smoothed, [[4, None, 4, 4], 0.9, False]) == [
        pytest.approx(4),
        None,
        *[pytest.approx(4)] * 2,
    ]
    assert shown.evaluate(smoothed, [[1, 3], 0.5, False]) == pytest.approx([1, (0.25 + 1.5) / 0.75])
    assert shown.evaluate(smoothed, [[1, 100], 0.5, True])[1] == pytest.approx(100 ** (2 / 3))


def test_the_epoch_target_is_changed_in_place(shown: Page, held: Run, server: Server):
    field = shown.get_by_label("Epochs to train, changed while it does")
    field.fill("0")
    shown.get_by_role("button", name="Set", exact=True).click()
    expect(shown.locator("#target .invalid-feedback")).to_contain_text("1")
    field.fill("60")
    shown.get_by_role("button", name="Set", exact=True).click()
    expect(shown.locator("#stand")).to_contain_text("/ 60")
    assert server.http.get(f"{RUNS}/{held.id}").json()["epochs"] == 60
    applied = SignalApplied(signal="epochs", version=1, value="60", epoch=12, step=97)
    folder = server.storage.run(held.id)
    with folder.events.open("a") as file:
        file.write('{"id": "9999999999999-0", "event": "signal", "signal": "epochs", "version": 1, '
                   '"value": "60", "epoch": 12, "step": 97}\n')  # fmt: skip
    server.runs.stream(held, applied)
    assert to_dict(applied)["event"] == "signal"
    eventually(shown, f"{VIEW}?.marks.length === 1")
    assert shown.evaluate(f"{VIEW}.marks[0]") == {"x": 12, "words": "target 60, step 97"}


def test_it_is_stopped_resumed_and_deleted(shown: Page, held: Run, server: Server):
    shown.get_by_role("button", name="Stop now").click()
    expect(shown.locator("#stand")).to_contain_text("stopping, saving")
    assert server.http.get(f"{RUNS}/{held.id}").json()["signals"]["stop"] == "now"
    server.runs.publish_status(server.runs.finish(held, "stopped"))
    expect(shown.locator("h1")).to_contain_text("stopped")
    expect(shown.get_by_label("Epochs to train, changed while it does")).to_have_count(0)
    shown.get_by_role("button", name="Resume…").click()
    dialog = shown.get_by_role("dialog")
    dialog.get_by_label("Epochs to train in all").fill("50")
    dialog.get_by_role("button", name="Resume").click()
    expect(shown.locator("h1")).to_contain_text("queued")
    expect(shown.locator("#waiting")).to_contain_text("place 1")
    expect(shown.locator("#waiting")).to_contain_text("No worker serves this queue")
    shown.get_by_role("button", name="Cancel…").click()
    shown.get_by_role("button", name="Cancel the run").click()
    expect(shown.locator("h1")).to_contain_text("cancelled")
    shown.get_by_role("button", name="Delete…").click()
    expect(shown.get_by_role("dialog")).to_contain_text("It cannot be resumed")
    shown.get_by_role("dialog").get_by_role("button", name="Delete").click()
    shown.wait_for_url("**/runs")
    assert server.http.get(f"{RUNS}/{held.id}").status_code == 404


def test_a_failure_says_what_to_do(page: Page, held: Run, server: Server):
    folder = server.storage.run(held.id)
    folder.log.parent.mkdir(parents=True, exist_ok=True)
    folder.log.write_text("<b>line</b>\n" * 300)
    error = failure(NanLoss("The loss is NaN in <img src=x>.").to_dict(), 1, folder.log, 3_100_000_000)
    server.runs.finish(held, "failed", error=error)
    page.goto(f"/runs/{held.id}")
    card = page.locator("#failure")
    for words in ("nan_loss", "The loss is NaN in <img src=x>.", NanLoss.remedy, "3.1 GB"):
        expect(card).to_contain_text(words)
    expect(page.locator("#attempts li.bad")).to_have_count(1)
    assert_accessible(page)
    page.get_by_role("button", name="Retry…").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.locator("h1")).to_contain_text("queued")


def test_the_log_follows_and_waits_for_a_reader(page: Page, held: Run, server: Server):
    log = server.storage.run(held.id).log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    page.goto(f"/runs/{held.id}")
    box = page.locator("#log")
    expect(page.locator("#live")).to_have_text("live")
    scrolled = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    assert box.evaluate(scrolled) < 2

    def grow(text: str) -> None:
        with log.open("a") as file:
            file.write(text)
        server.runs.stream(held, seed.progress(13, 100))

    grow("is it ünder way?\n")
    expect(box).to_contain_text("line 99\nis it ünder way?")
    assert box.evaluate(scrolled) < 2
    box.evaluate("box => { box.scrollTop = 0; }")
    grow("more\n")
    expect(page.get_by_role("button", name="Go to the end")).to_be_visible()
    assert box.evaluate("box => box.scrollTop") == 0
    page.get_by_role("button", name="Go to the end").click()
    assert box.evaluate(scrolled) < 2


@pytest.mark.parametrize(("name", "title"), [("val_miou", "mIoU"), ("val_accuracy", "accuracy")])
def test_parity_is_told_by_the_score_of_the_task(
    page: Page, held: Run, server: Server, name: str, title: str
):
    export: dict[str, Any] = {"file": "export/model.onnx", "precision": "fp32", "bytes": 12_345_678,
                              "max_difference": 6.5e-6, name: 0.8125, f"torch_{name}": 0.8125}  # fmt: skip
    server.runs.finish(held, "completed", result={"export": export})
    page.goto(f"/runs/{held.id}")
    expect(page.locator("#parity")).to_contain_text(f"validation {title} 0.8125, of the network 0.8125")


def test_parity_and_files_are_there(page: Page, held: Run, server: Server):
    export: dict[str, Any] = {"file": "export/model.onnx", "precision": "fp32", "bytes": 12_345_678,
                              "max_difference": 6.5e-6, "val_miou": 0.8, "torch_val_miou": 0.8}  # fmt: skip
    server.runs.finish(held, "completed", result={"export": export})
    page.goto(f"/runs/{held.id}")
    expect(page.locator("#parity")).to_contain_text("6.5e-06")
    page.locator("#files summary").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="metrics.csv").click()
    assert saved.value.path().read_text().startswith("epoch,step,lr")


def test_what_devices_did_is_drawn_as_other_curves(shown: Page):
    for title, value in (("How busy its devices are", 0.9), ("Memory of a device in use", 11.2)):
        card = shown.locator(".card").filter(has=shown.get_by_role("heading", name=title))
        card.scroll_into_view_if_needed()
        eventually(
            shown,
            f"[...document.querySelectorAll('.chart')].some(one => one.ariaLabel.includes('{title}') "
            "&& one.plot?.view)",
        )
        card.locator(".chart").focus()
        shown.keyboard.press("ArrowRight")
        expect(card.get_by_role("status")).to_contain_text(str(value))


def test_what_it_sees_after_its_newest_epochs_is_shown(shown: Page, held: Run, server: Server):
    section = shown.locator("#while-it-trains")
    expect(section).to_have_count(0)
    own = server.storage.run(held.id).attempt(held.fence)
    own.overlays.mkdir(parents=True)
    for epoch in (12, 13):
        Image.new("RGB", (30 + epoch, 20), (200, 90, 0)).save(overlay_file(own, epoch))
    server.runs.publish_status(seed.train(server, held, 13))
    expect(section).to_contain_text("After epoch 13")
    section.scroll_into_view_if_needed()
    eventually(shown, "document.querySelector('#while-it-trains img')?.naturalWidth === 43")
    section.get_by_text("Epochs before").click()
    eventually(
        shown, "[...document.querySelectorAll('#while-it-trains img')].some(one => one.naturalWidth === 42)"
    )
    listed = server.http.get(f"{RUNS}/{held.id}/overlays").json()["items"]
    assert [one["epoch"] for one in listed] == [12, 13]
    assert server.http.get(f"{RUNS}/{held.id}/overlays/7").json()["errors"] == {"epoch": ["12", "13"]}
    assert_accessible(shown)


def test_the_log_is_searched_from_its_beginning(page: Page, held: Run, server: Server):
    log = server.storage.run(held.id).log
    log.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"line {number}: nothing\n" for number in range(900)]
    lines[3], lines[600] = "a Needle <b>early</b>\n", "another needle\n"
    log.write_text("".join(lines))
    page.goto(f"/runs/{held.id}")
    box, found = page.locator("#log"), page.locator("#log-found")
    expect(box).not_to_contain_text("early")
    page.get_by_label("Search in the log").fill("needle")
    expect(found).to_have_text("2 of 2")
    expect(box).to_contain_text("a Needle <b>early</b>")
    page.keyboard.press("Enter")
    expect(found).to_have_text("1 of 2")
    eventually(page, "document.getElementById('log').scrollTop < 200")
    page.keyboard.press("Shift+Enter")
    expect(found).to_have_text("2 of 2")
    with log.open("a") as more:
        more.write("the end\n")
    server.runs.publish_status(held)
    expect(box).to_contain_text("the end")
    assert str(box.text_content()).count("nothing") == 898
    page.get_by_label("Search in the log").fill("nowhere")
    expect(found).to_have_text("not found")


def test_settings_are_saved_for_the_project(shown: Page, server: Server):
    shown.get_by_role("button", name="Save settings…").click()
    shown.get_by_role("dialog").get_by_label("Name").fill("careful & long")
    shown.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(shown.get_by_label("Experiment")).to_have_value("careful & long")
