"""Settings: sections, presets, overrides, and errors that name the key."""

import pytest
from nanospa import errors
from nanospa.pipeline import PRESETS, Settings
from nanospa.pipeline.settings import changed, with_overrides


def write(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def test_yaml_there_and_back(tmp_path):
    text = """
preset: slater2020
input:
  images: [a/*.dm4]
  pixel_size_nm: [0.2, 0.25]
segment:
  gaussian_sigma_px: 2
simulate:
report:
"""
    found = Settings.from_yaml(write(tmp_path, text))
    assert found.input.images == ("a/*.dm4",) and found.input.pixel_size_nm == (0.2, 0.25)
    assert found.segment == PRESETS["slater2020"].segment.model_copy(update={"gaussian_sigma_px": 2.0})
    assert found.simulate is None and found.cluster == PRESETS["slater2020"].cluster
    assert Settings.from_yaml(write(tmp_path, found.to_yaml())) == found
    assert Settings.from_yaml(write(tmp_path, "")) == Settings()


def test_a_section_may_be_a_preset(tmp_path):
    found = Settings.from_yaml(write(tmp_path, "segment: slater2020\nsimulate: slater2020"))
    assert found.segment == PRESETS["slater2020"].segment and found.simulate == PRESETS["slater2020"].simulate


def test_a_section_may_change_a_preset(tmp_path):
    found = Settings.from_yaml(write(tmp_path, "acquire: {preset: slater2020, max_images: 20, options: {seed: 3}}")).acquire
    whole = Settings.from_yaml(write(tmp_path, "acquire: slater2020")).acquire
    assert found == whole.model_copy(update={"max_images": 20, "options": {"specimen": "slater2020", "seed": 3}})
    assert changed(Settings(), {"acquire": {"preset": "atomic"}}).acquire.target == "particles"
    other = changed(Settings(), {"acquire": {"preset": "slater2020", "microscope": "other", "options": {"port": 1}}}).acquire
    assert other.options == {"port": 1}, "those of the preset are of the simulated microscope"
    assert Settings.from_mapping({"segment": {"preset": "slater2020"}}).segment == PRESETS["slater2020"].segment


def test_an_error_of_a_section_shows_the_field_alone(tmp_path):
    with pytest.raises(errors.SettingsError) as caught:
        Settings.from_yaml(write(tmp_path, "acquire: {stage_x_um: [2, 1]}"))
    assert str(caught.value) == "settings: acquire.stage_x_um: expected (lowest, highest), found (2.0, 1.0)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acquire: {preset: slatr2020}", r"acquire\.preset: expected one of .*did you mean 'slater2020'"),
        ("segmnt: {}", r"segmnt: unknown key \(did you mean 'segment'\?\)"),
        ("segment: {gausian_sigma_px: 1}", r"segment\.gausian_sigma_px: unknown key \(did you mean 'gaussian_sigma_px'\?\)"),
        ("simulate: {n_frame: 1}", r"simulate\.n_frame: unknown key \(did you mean 'n_frames'\?\)"),
        ("cluster: {eps: 1}", r"cluster\.eps: unknown key.*known are method"),
        ("measure: {radial_bins: 0}", r"measure\.radial_bins: .*greater than or equal to 1, found 0"),
        ("measure: {radial_bins: many}", r"measure\.radial_bins: .*found 'many'"),
        ("input: {pixel_size_nm: -1}", r"input\.pixel_size_nm"),
        ("segment: slatter2020", r"segment: expected settings or one of .*did you mean 'slater2020'"),
        ("preset: slatter", r"preset: expected one of auto, slater2020, found 'slatter'"),
        ("- a list", r"expected sections \(input, simulate, .*found list"),
        ("a: [", r"expected YAML"),
        ("!!python/object/apply:os.system ['true']", r"expected YAML"),
    ],
)
def test_errors_name_the_key(tmp_path, text, message):
    with pytest.raises((errors.SettingsError, errors.UnknownNameError), match=message):
        Settings.from_yaml(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(errors.SettingsError, match=r"absent\.yaml"):
        Settings.from_yaml(tmp_path / "absent.yaml")


def test_overrides():
    found = with_overrides(Settings(), ["segment.gaussian_sigma_px=3", "cluster.features=[area, solidity]", "cluster.method=kmeans"])
    assert found.segment.gaussian_sigma_px == 3 and found.cluster.features == ("area", "solidity") and found.cluster.method == "kmeans"
    for text in ("segment", "segment=1", "sigma=1", ".a=1", "segment.=2"):
        with pytest.raises(errors.SettingsError, match="--set: expected section"):
            with_overrides(Settings(), [text])
    with pytest.raises(errors.SettingsError, match=r"did you mean 'min_area_px'"):
        with_overrides(Settings(), ["segment.min_area=1"])


def test_changed_replaces_fields_of_a_section():
    base = PRESETS["slater2020"]
    assert changed(base, {"segment": {"gaussian_sigma_px": 2}}).segment.threshold == base.segment.threshold
    assert changed(base, {"simulate": None}).simulate is None
