"""How the run was made: settings, versions, times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanospa.report.quantity import text
from nanospa.report.run_view import RunView

#: Keys of the store's attributes that have a section of their own.
_ELSEWHERE = {"settings", "seconds", "timings", "warnings", "summary", "truth"}


def provenance(view: RunView) -> dict[str, Any]:
    """Settings as YAML, versions and origin, seconds of each stage.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict
        ``settings`` (text), ``facts`` (pairs), ``seconds`` (stage, text, percent of the longest).
    """
    import yaml

    attributes = view.attributes
    settings = attributes.get("settings")
    written = (
        settings if isinstance(settings, str) else yaml.safe_dump(_plain(settings), sort_keys=False, allow_unicode=True) if settings else ""
    )
    return {
        "settings": written,
        "facts": list(_flat({k: v for k, v in attributes.items() if k not in _ELSEWHERE})),
        "seconds": seconds(view),
    }


def seconds(view: RunView) -> list[tuple[str, str, float]]:
    """Seconds of each stage.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    list of (str, str, float)
        Stage, seconds as text, share of the longest stage [%].
    """
    attributes = view.attributes
    summary = attributes.get("summary")
    found = attributes.get("seconds") or attributes.get("timings") or (summary.get("seconds") if isinstance(summary, Mapping) else None)
    if not isinstance(found, Mapping):
        return []
    numbers = {str(k): float(v) for k, v in found.items() if isinstance(v, (int, float))}
    longest = max(numbers.values(), default=0.0) or 1.0
    return [(name, f"{value:.2f} s", 100 * value / longest) for name, value in numbers.items()]


def _plain(value: Any) -> Any:
    """What JSON left: mappings, lists and scalars, nothing a YAML writer would need a tag for."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _flat(mapping: Mapping[str, Any], before: str = "") -> Any:
    for key, value in mapping.items():
        name = f"{before}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name} · ")
        elif isinstance(value, (list, tuple)):
            yield name, ", ".join(text(v) for v in value)
        else:
            yield name, text(value)
