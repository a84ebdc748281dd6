"""The pages of data sets, as a person sees and uses them."""

import io
import random
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.api import boxed
from tests.api.server import Server
from tests.api.summary import SUMMARY
from tests.fixtures.stored_storage import unpack
from tests.pages import seed
from tests.pages.conftest import assert_accessible, eventually
from tests.waits import scaled

SETS = "/api/v1/datasets"
PIECE = 8 << 20
HOSTILE_FILE = f"images/{seed.HOSTILE_CLASS}.png"
QUESTION = {
    "code": "objects",
    "text": f"Are the values of masks classes, or objects, in {HOSTILE_FILE}?",
    "choices": [
        {"key": "classes", "text": "Each value is a class.", "count": 4, "options": {"objects": "classes"},
         "examples": [HOSTILE_FILE], "preview": True},
        {"key": "one_class", "text": "Each value is an object.", "count": 4,
         "options": {"objects": "one_class"}, "examples": [], "preview": True},
    ],
}  # fmt: skip
PROBLEM = {
    "severity": "warning", "code": "classes_alike", "file": HOSTILE_FILE, "count": 3,
    "message": f"{HOSTILE_FILE} is odd.", "remedy": "Look at it.", "examples": [HOSTILE_FILE, "b.png"],
}  # fmt: skip


def upload(server: Server, name: str) -> Any:
    """A set that an ingest worker holds."""
    answer = server.http.post(SETS, data={"name": name}, files={"file": ("set.zip", seed.archive())})
    assert answer.status_code == 202, answer.text
    held = server.datasets.claim("ingest", "hand")
    assert held
    return held


@pytest.fixture(scope="module")
def prepared(server: Server) -> str:
    """A set whose pixels are there, as an earlier release left it; its id."""
    made = unpack("0.1.0", server.storage.root.with_name("earlier"))
    folder = next(path.parent for path in made.root.glob("datasets/*/prepared"))
    target = server.storage.root / "datasets" / folder.name
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    server.client.flushall()
    server.stop()
    server.start()
    return folder.name


def test_it_is_uploaded_read_asked_about_and_ready(page: Page, server: Server, tmp_path: Path):
    archive = tmp_path / f"{seed.HOSTILE.replace('/', '')}.zip"
    archive.write_bytes(seed.archive(files=3))
    page.goto("/datasets")
    page.get_by_label("an archive, or files").set_input_files(archive)
    assert page.get_by_label("Name", exact=True).input_value() == seed.HOSTILE.replace("/", "")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#upload .invalid-feedback")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(seed.HOSTILE)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/datasets/ds-*")
    expect(page.locator("#state li[aria-current]")).to_contain_text("An ingest worker has it")
    held = server.datasets.claim("ingest", "hand")
    assert held
    held = server.datasets.update(held, images_done=2, images_total=3)
    expect(page.locator("#state li[aria-current]")).to_contain_text("Images read and checked 2 of 3")
    previews = server.storage.dataset(held.id).previews
    previews.mkdir(parents=True, exist_ok=True)
    for choice in QUESTION["choices"]:
        picture = io.BytesIO()
        Image.new("RGB", (32, 32), (200, 80, 0)).save(picture, "PNG")
        (previews / f"objects-{choice['key']}.png").write_bytes(picture.getvalue())  # type: ignore[index]
    server.datasets.finish(held, "question", questions=[QUESTION], problems=[PROBLEM])
    expect(page.locator("legend").first).to_contain_text(HOSTILE_FILE)
    shown = (
        "[...document.querySelectorAll('.choices img')].filter(one => one.naturalWidth === 32).length === 2"
    )
    eventually(page, shown)
    expect(page.get_by_role("table", name="Problems")).to_contain_text("Look at it.")
    assert page.locator("main script").count() == 0
    assert_accessible(page)
    page.get_by_label("Each value is an object.").check()
    page.get_by_role("button", name="Read it so").click()
    expect(page.locator("h1")).to_contain_text("queued")
    assert server.http.get(f"{SETS}/{held.id}").json()["options"]["objects"] == "one_class"


def test_a_set_that_cannot_be_used_says_why_and_is_read_again(page: Page, server: Server):
    held = upload(server, "broken")
    error = {"code": "host_out_of_memory", "cause": "infrastructure", "message": "No <b>memory</b>.",
             "remedy": "Give it more.", "errors": {}}  # fmt: skip
    server.datasets.finish(held, "failed", error=error)
    page.goto(f"/datasets/{held.id}")
    for words in ("host_out_of_memory", "No <b>memory</b>.", "Give it more."):
        expect(page.locator("#state")).to_contain_text(words)
    page.get_by_role("button", name="Read it again").click()
    expect(page.locator("h1")).to_contain_text("queued")


def test_a_label_map_is_taken_by_a_click(page: Page, server: Server):
    held = upload(server, "mapped")
    server.datasets.finish(held, "failed", proposed_label_map={"5": 0, "9": None}, problems=[PROBLEM])
    page.goto(f"/datasets/{held.id}")
    expect(page.locator("#state")).to_contain_text("5 → 0, 9 → ignored")
    page.get_by_role("button", name="Read it with this map").click()
    expect(page.locator("h1")).to_contain_text("queued")
    assert server.http.get(f"{SETS}/{held.id}").json()["options"]["label_map"] == {"5": 0, "9": None}


def test_classes_are_words_and_their_shares_are_shown(page: Page, server: Server):
    classes = [{**SUMMARY["classes"][0], "name": seed.HOSTILE_CLASS, "share": 0.75}, SUMMARY["classes"][1]]
    held = upload(server, "classes")
    server.datasets.finish(held, "ready", summary={**SUMMARY, "images": 0, "classes": classes})
    page.goto(f"/datasets/{held.id}")
    row = page.locator("#class-0")
    expect(row.get_by_role("rowheader")).to_contain_text(seed.HOSTILE_CLASS)
    expect(row).to_contain_text("75.0 %")
    assert page.locator("main script").count() == 0
    page.goto("/datasets")
    expect(page.locator(f"#{held.id}")).to_contain_text(seed.HOSTILE_CLASS)
    assert_accessible(page)


def test_samples_are_seen_large_one_after_the_other_by_keys(page: Page, prepared: str):
    page.goto(f"/datasets/{prepared}")
    eventually(page, "document.querySelectorAll('#grid canvas').length > 1")
    first, second = page.locator("#grid button").nth(0), page.locator("#grid button").nth(1)
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    names = page.locator("#grid bdi").all_inner_texts()
    expect(viewer).to_contain_text(names[0])
    expect(viewer.get_by_role("button", name="Previous")).to_be_disabled()
    eventually(page, "document.querySelector('#viewer canvas') !== null")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text(names[1])
    page.keyboard.press("m")
    hidden = "document.querySelector('#viewer .bare canvas')?.checkVisibility({ visibilityProperty: true })"
    eventually(page, f"{hidden} === false")
    page.keyboard.press("o")
    expect(page.get_by_label("outlines only")).to_be_checked()
    assert_accessible(page)
    for _ in names:
        page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text(names[-1])
    expect(viewer.get_by_role("button", name="Next")).to_be_disabled()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(second).to_be_focused()


def test_boxes_are_seen_over_their_images_by_class(page: Page, server: Server):
    held = upload(server, "boxes")
    server.datasets.finish(held, "ready", summary=boxed.summary())
    boxed.write(server.storage.dataset(held.id).version(boxed.HASH))
    page.goto(f"/datasets/{held.id}")
    facts = page.get_by_role("region", name="How it was read")
    expect(facts).to_contain_text("3 in 2 images, at most 2 in one; 1 crowds")
    expect(facts).to_contain_text("detection")
    eventually(page, "document.querySelectorAll('#grid svg.boxes').length === 3")
    rectangles = "[...document.querySelectorAll('#grid li:first-child rect')]"
    count = f"{rectangles}.filter((one) => one.checkVisibility()).length"
    assert page.evaluate(count) == 2
    box = "document.querySelector('#grid rect').getBoundingClientRect()"  # the larger one is below
    image = "document.querySelector('#grid img').getBoundingClientRect()"
    assert page.evaluate(f"{box}.width / {image}.width") == pytest.approx(140 / 300, abs=0.02)
    page.get_by_label("dog", exact=True).uncheck()
    assert page.evaluate(count) == 1
    page.get_by_label("boxes", exact=True).uncheck()
    assert page.evaluate(count) == 0
    page.locator("#grid button").first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_contain_text("1 cat, 1 dog")
    page.keyboard.press("b")
    expect(viewer.locator("svg text:not(.bare)")).to_have_text(["cat"])
    assert_accessible(page)


def test_samples_are_seen_through_their_masks(page: Page, prepared: str):
    page.goto(f"/datasets/{prepared}")
    eventually(page, "document.querySelectorAll('#grid canvas').length > 1")
    painted = """() => {
        const canvas = document.querySelector('#grid canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    }"""
    whole = page.evaluate(painted)
    assert whole > 0
    page.get_by_label("outlines only").check()
    assert 0 < page.evaluate(painted) < whole
    while page.locator("#legend input:checked").count():
        page.locator("#legend input:checked").first.uncheck()
    assert page.evaluate(painted) == 0
    n = page.locator("#grid li").count()
    page.get_by_label("Split").select_option("val")
    eventually(page, f"document.querySelectorAll('#grid li').length < {n}")
    assert set(page.locator("#grid figcaption span").all_inner_texts()) != set()
    assert_accessible(page)


def whole(server: Server, page: Page) -> bytes:
    """The upload of the set that the page leads to."""
    page.wait_for_url("**/datasets/ds-*", timeout=scaled(60) * 1000)
    return server.storage.dataset(page.url.rpartition("/")[2]).upload.read_bytes()


def test_files_and_folders_are_sent_as_one_tar(page: Page, server: Server, tmp_path: Path):
    folder, names = tmp_path / "winter", ("images/1.png", f"images/{'ü' * 60}.png", "masks/1.png", "b.json")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"content of {name}")
    page.goto("/datasets")
    page.get_by_label("a folder").set_input_files(folder)
    expect(page.locator("#chosen")).to_contain_text("4 files, sent as one tar")
    expect(page.get_by_label("Name", exact=True)).to_have_value("winter")
    page.get_by_role("button", name="Upload").click()
    with tarfile.open(fileobj=io.BytesIO(whole(server, page))) as found:
        read = {one.name: found.extractfile(one).read().decode() for one in found if one.isfile()}  # type: ignore[union-attr]
    assert read == {f"winter/{name}": f"content of {name}" for name in names}
    page.goto("/datasets")
    drop(page, {"images/1.png": "a", "masks/1.png": "b"})
    expect(page.locator("#chosen")).to_contain_text("2 files")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#upload .invalid-feedback")).to_be_visible()


def drop(page: Page, files: dict[str, str]) -> None:
    """Drop files on the page, as from a file manager."""
    page.evaluate(
        """files => {
            const transfer = new DataTransfer();
            for (const [name, text] of Object.entries(files)) transfer.items.add(new File([text], name));
            const place = document.getElementById('drop');
            place.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
        }""",
        files,
    )


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An archive of three pieces."""
    path = tmp_path / "large.zip"
    path.write_bytes(seed.archive())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("more.bin", random.Random(0).randbytes(20 << 20))
    return path


@pytest.fixture
def held(page: Page) -> Page:
    """A window that holds its second piece back until `release` is called; `offsets` are of its pieces."""
    page.context.add_init_script("""(() => {
        const send = XMLHttpRequest.prototype.send, header = XMLHttpRequest.prototype.setRequestHeader;
        window.offsets = [];
        XMLHttpRequest.prototype.setRequestHeader = function (name, text) {
            if (name === 'Upload-Offset') window.offsets.push(Number(text));
            return header.call(this, name, text);
        };
        XMLHttpRequest.prototype.send = function (body) {
            if (window.offsets.length === 2 && !window.release) window.release = () => send.call(this, body);
            else send.call(this, body);
        };
    })();""")
    return page


def begin(page: Page, archive: Path) -> None:
    page.goto("/datasets")
    page.get_by_label("an archive, or files").set_input_files(archive)
    page.get_by_role("button", name="Upload", exact=True).click()


def test_an_upload_outlives_the_server(held: Page, server: Server, large: Path):
    begin(held, large)
    eventually(held, "window.release !== undefined")
    server.kill()
    held.evaluate("window.release()")
    expect(held.locator("#sent")).to_contain_text("the line broke; it goes on by itself")
    server.start()
    assert whole(server, held) == large.read_bytes()


def test_an_upload_goes_on_after_the_browser_was_closed(held: Page, server: Server, large: Path):
    """The hash is of the whole, though only the rest was sent."""
    begin(held, large)
    eventually(held, "window.release !== undefined")
    again = held.context.new_page()
    begin(again, large)
    eventually(again, "window.release !== undefined")
    assert again.evaluate("window.offsets") == [PIECE, 2 * PIECE]
    again.evaluate("window.release()")
    assert whole(server, again) == large.read_bytes()


def test_an_upload_is_stopped_and_goes_on_when_asked_again(page: Page, server: Server, large: Path):
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": 2 << 20})
    begin(page, large)
    expect(page.locator("#sent")).to_contain_text("MB/s", timeout=scaled(30) * 1000)
    page.get_by_role("button", name="Stop the upload").click()
    expect(page.locator("#upload .act-error")).to_contain_text("upload the same again, and it goes on")
    line.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": -1})
    page.get_by_role("button", name="Upload", exact=True).click()
    assert whole(server, page) == large.read_bytes()


def test_versions_say_what_differs(page: Page, server: Server):
    held = upload(server, "changed")
    made = {"created_at": 1.8e9, "label_map": None}
    versions = [
        {**made, "version": 1, "content_hash": "a" * 64, "images": 100, "splits": {"train": 80, "val": 20}},
        {**made, "version": 2, "content_hash": "b" * 64, "images": 98, "splits": {"train": 78, "val": 20}},
        {**made, "version": 3, "content_hash": "c" * 64, "images": 98, "splits": {"train": 78, "val": 20},
         "label_map": {"2": 1, "3": None}},
        {**made, "version": 4, "content_hash": "d" * 64, "images": 98, "splits": {"train": 78, "val": 20},
         "label_map": {"2": 1, "3": None}},
    ]  # fmt: skip
    done = server.datasets.finish(held, "ready", summary=SUMMARY, versions=versions, version=3)
    page.goto(f"/datasets/{done.id}")
    rows = page.locator("#versions tbody tr")
    told = ["the same images and splits", "value 3 is ignored", "98 images instead of 100 (-2)", "the first"]
    for row, words in zip(rows.all(), told, strict=True):
        expect(row).to_contain_text(words)
    expect(page.locator("#version-3")).to_contain_text("in use")
    expect(page.locator("#version-3")).to_contain_text("value 2 is class 1 instead of class 2")
    expect(page.locator("#version-2")).to_contain_text("train 78 instead of 80")
    assert_accessible(page)


def test_pictures_of_data_are_switched_off(page: Page, prepared: str):
    page.goto("/settings")
    page.get_by_label("Show pictures of data").uncheck()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if ".png" in sent.url else None)
    page.goto(f"/datasets/{prepared}")
    expect(page.get_by_text("Pictures of data are switched off")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked == []
    page.goto("/settings")
    page.get_by_label("Show pictures of data").check()
    page.goto(f"/datasets/{prepared}")
    eventually(page, "document.querySelectorAll('#grid canvas').length > 1")


def test_a_set_is_deleted(page: Page, prepared: str):
    """The last of all that look at it."""
    page.goto(f"/datasets/{prepared}")
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/datasets")
    answer = page.request.get(f"/api/v1/datasets/{prepared}")
    assert answer.status == 404
