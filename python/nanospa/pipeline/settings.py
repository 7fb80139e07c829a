"""Settings of a run: one section a stage, checked as a whole before anything starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nanospa.acquire import PRESETS as PLANS
from nanospa.acquire import Plan
from nanospa.cluster import PRESETS as CLUSTER_PRESETS
from nanospa.cluster import ClusterSettings
from nanospa.errors import SettingsError, UnknownNameError
from nanospa.pipeline.reconstruction_settings import ReconstructSection
from nanospa.segment import PRESETS as SEGMENT_PRESETS
from nanospa.segment import SegmentSettings
from nanospa.simulate import PRESETS as SIMULATE_PRESETS
from nanospa.simulate import SimulateSettings

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSettings(_Section):
    """Which frames a run works on.

    Attributes
    ----------
    images : tuple of str
        Files, folders or glob patterns.
    pixel_size_nm : float, (float, float) or None
        Pixel size or a pair (y, x) [nm] that wins over the files' own.
    detector : str
        Name of the detector: frames of different detectors never share a stack.
    """

    images: tuple[str, ...] = ()
    pixel_size_nm: Positive | tuple[Positive, Positive] | None = None
    detector: str = ""

    @field_validator("images", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class AcquireSettings(Plan):
    """How frames are acquired: the fields of `nanospa.acquire.Plan`, the microscope, and how particles are found in a survey.

    Attributes
    ----------
    microscope : str
        Name of the driver; see `nanospa.acquire.drivers`.
    options : dict
        Options of the driver.
    find : SegmentSettings or None
        Segmentation of the survey images that decides which tiles hold particles; None takes bright objects above a share of the
        maximum (`nanospa.acquire.particle_presence`).
    """

    microscope: str = "simulated"
    options: dict[str, Any] = Field(default_factory=dict)
    find: SegmentSettings | None = SegmentSettings()

    @property
    def plan(self) -> Plan:
        """What the microscope is to do."""
        return Plan(**{name: getattr(self, name) for name in Plan.model_fields})


class SegmentSection(SegmentSettings):
    """How particles are found: the fields of `nanospa.segment.SegmentSettings`, and where the trained model lies.

    Attributes
    ----------
    model_file : str or None
        File of a saved `Rescorer` or `PixelClassifier`, for ``method="trained"``; other methods leave it alone. All workers must see it.
    """

    model_file: str | None = None


class MeasureSettings(_Section):
    """How particles are measured.

    Attributes
    ----------
    background : float or None
        Background level of all frames [intensity]; None takes the ring around each particle.
    saturation : float or None
        Level at which the detector saturates [intensity]; None takes the greatest value of an integer dtype.
    radial_bins : int
        Rings of the radial profile.
    particle_images : bool
        Whether to store cut-outs of the particles.
    box_px : int or None
        Side of the cut-outs [px]; None takes one that holds 99 % of the particles.
    masked : bool
        Whether neighbours and background are 0 in the cut-outs.
    confidence : float
        Level of the intervals of the population figures [-].
    """

    background: Annotated[float, Field(allow_inf_nan=False)] | None = None
    saturation: Annotated[float, Field(allow_inf_nan=False)] | None = None
    radial_bins: Annotated[int, Field(ge=1, le=256)] = 16
    particle_images: bool = True
    box_px: Annotated[int, Field(ge=4, le=4096)] | None = None
    masked: bool = True
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95


class ReportSettings(_Section):
    """What is written beside the store.

    Attributes
    ----------
    path : str or None
        HTML file; None puts it beside the store.
    figures : str or None
        Folder for the figures as PNG and SVG; None writes none.
    """

    path: str | None = None
    figures: str | None = None


class Settings(_Section):
    """Settings of a run.

    Attributes
    ----------
    input : InputSettings
        Frames of files.
    simulate : SimulateSettings or None
        Simulated frames instead.
    acquire : AcquireSettings or None
        Frames acquired with a microscope instead.
    segment : SegmentSection
        Segmentation.
    measure : MeasureSettings
        Measurement.
    cluster : ClusterSettings
        Clustering.
    reconstruct : ReconstructSection
        Reconstruction of the clusters in 3D.
    report : ReportSettings
        Report.
    """

    input: InputSettings = InputSettings()
    simulate: SimulateSettings | None = None
    acquire: AcquireSettings | None = None
    segment: SegmentSection = SegmentSection()
    measure: MeasureSettings = MeasureSettings()
    cluster: ClusterSettings = ClusterSettings()
    reconstruct: ReconstructSection = ReconstructSection()
    report: ReportSettings = ReportSettings()

    @field_validator("segment", mode="before")
    @classmethod
    def _of_stage(cls, value: Any) -> Any:
        return value.model_dump() if type(value) is SegmentSettings else value

    @classmethod
    def from_yaml(cls, path: str | Path) -> Settings:
        """Settings of a YAML file.

        A key ``preset`` names the settings that those of the file change; a section may be the name of a preset of its stage, or have a
        key ``preset`` with it, whose fields its others change.

        Parameters
        ----------
        path : str or Path
            File.

        Returns
        -------
        Settings

        Raises
        ------
        SettingsError
            The file cannot be read, a key is unknown or a value is out of range; the message names the key.
        """
        import yaml

        try:
            # The safe loader: a settings file is data and cannot run code.
            loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: the settings cannot be read ({error})") from error
        except yaml.YAMLError as error:
            raise SettingsError(f"{path}: expected YAML, found something else ({' '.join(str(error).split())})") from error
        if loaded is None:
            loaded = {}
        if not isinstance(loaded, dict):
            raise SettingsError(f"{path}: expected sections ({', '.join(cls.model_fields)}), found {type(loaded).__name__}")
        return cls.from_mapping(loaded)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Settings:
        """Settings of nested mappings, as in a YAML file.

        Parameters
        ----------
        mapping : mapping of str
            Sections; ``preset`` names the settings they change.

        Returns
        -------
        Settings

        Raises
        ------
        SettingsError
            An unknown key or a value out of range; the message names the key.
        """
        values = dict(mapping)
        name = values.pop("preset", None)
        base = preset_settings(name) if name is not None else cls()
        return changed(base, values)

    def to_yaml(self) -> str:
        """The same as YAML text.

        Returns
        -------
        str
        """
        import yaml

        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


_SECTION_PRESETS: dict[str, Mapping[str, BaseModel]] = {
    "simulate": SIMULATE_PRESETS,
    # Of a simulated microscope: on the specimen of the plan's name.
    "acquire": {name: AcquireSettings(**plan.model_dump(), options={"specimen": name}) for name, plan in PLANS.items()},
    "segment": SEGMENT_PRESETS,
    "cluster": CLUSTER_PRESETS,
}

#: Sections that a run may do without.
_OPTIONAL = ("simulate", "acquire")
#: Fields of a section that are changed entry by entry, as the section itself is.
_NESTED = {"acquire": ("options", "find"), "reconstruct": ("symmetries",)}


def preset_settings(name: Any) -> Settings:
    """Settings of a name."""
    if name not in PRESETS:
        raise UnknownNameError(f"preset: expected one of {', '.join(PRESETS)}, found {name!r}{_nearest(str(name), PRESETS)}")
    return PRESETS[name]


def changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Settings with some values replaced; a section is changed field by field, a text stands for a preset of its stage."""
    merged: dict[str, Any] = settings.model_dump()
    for key, value in values.items():
        named = _SECTION_PRESETS.get(key)
        if isinstance(value, str) and named is not None:
            merged[key] = _of_preset(key, value, "settings or ")
            continue
        if isinstance(value, Mapping) and named is not None and value.get("preset") is not None:
            merged[key] = _of_preset(f"{key}.preset", value["preset"])
            if value.get("microscope", merged[key].get("microscope")) != merged[key].get("microscope"):
                # The options are those of another driver.
                merged[key]["options"] = {}
            value = {name: each for name, each in value.items() if name != "preset"}
        if isinstance(value, Mapping) and key in merged:
            old = merged[key] or {}
            nested = {
                n: {**old[n], **value[n]} for n in _NESTED.get(key, ()) if isinstance(old.get(n), dict) and isinstance(value.get(n), dict)
            }
            merged[key] = {**old, **value, **nested}
        elif value is None and key in Settings.model_fields and key not in _OPTIONAL:
            # A section with nothing under it in YAML.
            continue
        else:
            merged[key] = value
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_message(error)) from None


def _of_preset(where: str, name: Any, expected: str = "") -> dict[str, Any]:
    """Settings of a section by the name of a preset of its stage."""
    named = _SECTION_PRESETS[where.partition(".")[0]]
    if not isinstance(name, str) or name not in named:
        raise SettingsError(f"{where}: expected {expected}one of {', '.join(named)}, found {name!r}{_nearest(str(name), named)}")
    return named[name].model_dump()


def with_overrides(settings: Settings, overrides: Iterable[str]) -> Settings:
    """Settings changed by texts like ``segment.gaussian_sigma_px=2``."""
    import yaml

    values: dict[str, dict[str, Any]] = {}
    for text in overrides:
        path, equals, value = text.partition("=")
        section, *fields = path.strip().split(".")
        if not equals or not section or not fields or not all(fields):
            raise SettingsError(f"--set: expected section.field=value, found {text!r}")
        try:
            found = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SettingsError(f"--set {path}: expected a YAML value, found {value!r}") from error
        if len(fields) == 2 and fields[0] in _NESTED.get(section, ()):
            values.setdefault(section, {}).setdefault(fields[0], {})[fields[1]] = found
        else:
            values.setdefault(section, {})[".".join(fields)] = found
    return changed(settings, values)


def _message(error: ValidationError) -> str:
    lines = []
    for found in error.errors(include_url=False):
        where = ".".join(str(part) for part in found["loc"])
        if found["type"] == "extra_forbidden":
            known = _fields(found["loc"][:-1])
            lines.append(f"{where}: unknown key{_nearest(str(found['loc'][-1]), known)}; known are {', '.join(known)}")
        elif found["type"] in ("model_type", "model_attributes_type"):
            lines.append(f"{where}: expected a section with the keys {', '.join(_fields(found['loc']))}, found {found['input']!r}")
        elif found["type"] == "value_error" and isinstance(found["input"], Mapping):
            # Of a section as a whole: the message names the field and what was found, and may name it by its path.
            said = str(found["ctx"]["error"])
            lines.append(f"{where}.{said}" if said.partition(":")[0] in _fields(found["loc"]) else f"{where}: {said}")
        else:
            lines.append(f"{where}: {found['msg']}, found {found['input']!r}"[:400])
    return "settings: " + "; ".join(lines)


def _fields(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Settings
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        options = [field.annotation, *get_args(field.annotation)]
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), model)
    return list(model.model_fields)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


#: Settings by name. "slater2020": the paper's segmentation and clustering, on its mixture simulated where no images are given.
PRESETS: dict[str, Settings] = {
    "auto": Settings(),
    "slater2020": Settings(
        simulate=SIMULATE_PRESETS["slater2020"],
        segment=SegmentSection(**SEGMENT_PRESETS["slater2020"].model_dump()),
        cluster=CLUSTER_PRESETS["slater2020"],
    ),
}
