"""Manifests: what ships, what is refused, and that a fault is named."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.manifests import Manifest, Percentiles, load_manifest, shipped

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = [manifest.name for manifest in shipped()]
MINE = "name: mine\ntitle: My data\nkind: pairs\nsource: me\nlicence: mine\nrgb: v/{frame}\ntir: t/{frame}\n"


def write(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_shipped_manifests_are_the_files_in_the_folder() -> None:
    assert sorted(path.stem for path in (REPOSITORY / "data_manifests").glob("*.yaml")) == NAMES
    wanted = (
        "kaist flir flir_v2 flir_aligned llvip msrs mfnet cvc14 roadscene m3fd vt821 vt1000 vt5000 gtot rgbt234 lasher"
    )
    wanted += " m3svd metu_vistir collection pairs lsotb_tir lsotb_tir_paper ptb_tir"
    assert set(wanted.split()) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_manifest(name: str) -> None:
    manifest = load_manifest(name)
    assert manifest.name == name
    assert manifest.title and manifest.licence and manifest.source
    for text in (manifest.source, manifest.licence, manifest.note):
        assert "http" not in text
    assert set(manifest.counts) <= {"pairs", *manifest.lists}
    for member in manifest.members.values():
        assert load_manifest(member).kind == "pairs"
    for chosen in manifest.lists:
        assert load_manifest(f"{name}:{chosen}").subset == chosen


def test_tracking_benchmarks() -> None:
    lsotb, paper, ptb = (load_manifest(name) for name in ("lsotb_tir", "lsotb_tir_paper", "ptb_tir"))
    assert (len(lsotb.evaluated()), sum(lsotb.evaluated().values()), len(lsotb.attributes)) == (120, 82133, 16)
    assert set(lsotb.evaluated()) - set(paper.evaluated()) == {"cat_D_001"}
    assert len(paper.evaluated()) == 119
    assert (len(ptb.evaluated()), sum(ptb.evaluated().values()), len(ptb.attributes)) == (60, 30029, 10)
    assert next(iter(lsotb.evaluated())) == "bus_V_001"
    assert lsotb.frames[0].format(sequence="x") == "x/img"
    assert load_manifest("tir_sequences").evaluated() == {}


def test_counts_of_a_list() -> None:
    assert load_manifest("kaist").expected() == 95328
    assert load_manifest("kaist:sanitized").expected() == 7601
    assert load_manifest("kaist:train-all-04").expected() is None


def test_own_manifest_and_extends(tmp_path: Path) -> None:
    path = write(tmp_path, MINE)
    assert load_manifest(path).rgb == "v/{frame}"
    child = write(tmp_path, f"extends: {Path(path).name}\nstride: 5\ntir_range: [20000, 24000]\n", "child.yml")
    manifest = load_manifest(child)
    assert (manifest.stride, manifest.tir_range, manifest.title) == (5, (20000.0, 24000.0), "My data")
    assert load_manifest(path).tir_range == Percentiles()
    with pytest.raises(AttributeError):
        manifest.frame  # type: ignore[attr-defined]  # noqa: B018


def test_name_in_yaml_stays_a_name(tmp_path: Path) -> None:
    text = "extends: lsotb_tir\nname: odd\nsequences: {no: 3, on: 4, 007: 5, 1e3: 6}\n"
    assert list(load_manifest(write(tmp_path, text)).evaluated()) == ["no", "on", "007", "1e3"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINE + "rgbb: x\n", "unknown key 'rgbb'"),
        (MINE + "tir_range: {percentile: [1, 2]}\n", "tir_range"),
        (MINE + "stride: 0\n", "stride"),
        (MINE + "stride: many\n", "stride"),
        (MINE + "tir_range: [5, 5]\n", "low, high"),
        (MINE + "tir_range: [0, nan]\n", "tir_range"),
        (MINE + "prior: magic\n", "prior"),
        (MINE + "prior: matrix\n", "needs matrix"),
        (MINE + "prior: matrix\nmatrix: [1, 0, 0, 0, inf, 0, 0, 0, 1]\n", "matrix"),
        (MINE + "rule: time\n", "needs time"),
        (MINE + "rule: map\n", "needs map"),
        (MINE + "lists: {a: ../../secret.txt}\n", "leaves the data set's root"),
        (MINE + "map: /etc/passwd\n", "leaves the data set's root"),
        (MINE.replace("v/{frame}", "../v/{frame}"), "leaves the data set's root"),
        (MINE.replace("v/{frame}", "v/*.jpg"), "one {frame}"),
        (MINE.replace("v/{frame}", "'{frame}/v'"), "one {frame}"),
        (MINE.replace("v/{frame}", "v//{frame}"), "empty folder name"),
        (MINE.replace("name: mine", "name: My Data"), "name"),
        (MINE.replace("tir: t/{frame}\n", ""), "needs tir"),
        (MINE.replace("licence: mine\n", ""), "licence"),
        (MINE + "name: again\n", "line 8: key 'name' stands twice"),
        (MINE + "note: !!python/object/apply:os.system [touch ./hit]\n", "tags, anchors and aliases are not allowed"),
        (MINE + "note: !!str x\n", "tags, anchors and aliases are not allowed"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "tags, anchors and aliases are not allowed"),
        ("? [a, b]\n: c\n", "a key must be a word"),
        ("[" * 100_000, "exceeded maximum nesting depth"),
        ("- a\n- b\n", "expected keys and values"),
        ("", "expected keys and values"),
        ("a: [b\n", "line 2"),
        ("\x00", "not readable as YAML"),
        ("x: " + "y" * 1_100_000, "larger than"),
        ("extends: mine.yaml\n", "does it extend itself"),
        ("extends: gone.yaml\n", "cannot read manifest gone.yaml"),
        ("extends: kaits\n", "did you mean kaist"),
        ("extends: lsotb_tir\nname: x\ndrop: [dog_X_001]\n", "drop names no sequence: dog_X_001"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        load_manifest(write(tmp_path, text))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "hit").exists()


def test_unknown_names_and_lists() -> None:
    with pytest.raises(UsageError, match=r"no manifest 'kaits': did you mean kaist\? Known are collection, cvc14"):
        load_manifest("kaits")
    with pytest.raises(UsageError, match="has no list 'night': known are train-all-02"):
        load_manifest("kaist:night")
    with pytest.raises(UsageError, match="cannot read manifest"):
        load_manifest("./gone.yaml")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=80), st.text("abc:{}[]&*!|>-'\"\n #%@`?,", max_size=60).map(str.encode)))
def test_any_bytes_load_or_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        load_manifest(str(path))


@given(st.dictionaries(st.sampled_from(sorted(Manifest.model_fields)), st.text("a/{frme}*|?.", max_size=9), max_size=5))
def test_odd_values_are_refused_in_one_line(values: dict[str, str]) -> None:
    from pydantic import ValidationError

    base = load_manifest("pairs").model_dump()
    try:
        Manifest.model_validate(base | values)
    except ValidationError as error:
        assert error.errors()


def test_manifests_load_from_an_installed_package(tmp_path: Path) -> None:
    """As from a wheel, and even from inside a zip: nothing depends on the checkout or the working folder."""
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as wheel:
        for folder, pattern in (("pipeline", "**/*.py"), ("data_manifests", "*")):
            for path in (REPOSITORY / folder).glob(pattern):
                if path.is_file():
                    wheel.write(path, path.relative_to(REPOSITORY))
    code = "import pipeline.manifests as m; print(len(m.shipped()), m.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {code}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    count, place = done.stdout.split()
    assert int(count) == len(NAMES)
    assert place.startswith(str(archive))


def test_the_table_in_the_docs_names_every_manifest_and_its_example_loads(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs/data_sets.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in text] == []
    rooftop, ours = (part.split("```")[0] for part in text.split("```yaml\n")[1:])
    manifest = load_manifest(write(tmp_path, rooftop, "rooftop.yaml"))
    assert (manifest.rule, manifest.tolerance, manifest.tir_range) == ("time", 0.02, (21000.0, 24500.0))
    members = load_manifest(write(tmp_path, ours, "ours.yaml")).members
    assert load_manifest(members["rooftop"]) == manifest
    assert load_manifest(members["KAIST"]).subset == "sanitized"
