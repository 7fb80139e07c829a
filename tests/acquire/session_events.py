"""Events of an acquisition, made without a microscope: a raster with every fate a tile, a position and a focus can have."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Side of a survey and tiles along it.
FIELD_NM, PER_SIDE = 680.0, 4


def session_events(n_rows: int = 3, n_columns: int = 3, *, end: str = "end", seed: int = 0) -> list[dict[str, Any]]:
    """A session of 3 × 3 positions, with an empty one, one that is skipped, faults, rolled-back and silent focus, drift.

    Parameters
    ----------
    n_rows, n_columns : int
        Raster.
    end : {"end", "pause", ""}
        How it ends; an interrupted one has no last event.
    seed : int
        Seed.

    Returns
    -------
    list of dict
        number, kind, values.
    """
    rng = np.random.default_rng(seed)
    events: list[dict[str, Any]] = []
    clock = 0.0
    step = FIELD_NM * 0.95 / 1000
    raster = [(row, column if row % 2 == 0 else n_columns - 1 - column) for row in range(n_rows) for column in range(n_columns)]
    numbers = {"survey": 0, "image": 0}

    def event(event_kind: str, seconds: float, **values: Any) -> None:
        nonlocal clock
        clock += seconds
        events.append(
            {"number": len(events), "kind": event_kind, "values": {"clock_s": round(clock, 3), "seconds": seconds, **values}, "state": {}}
        )

    def frame(y: float, x: float, size_nm: float, shape: int, dwell_s: float, defocus: float) -> dict[str, Any]:
        electrons = dwell_s * 13e-12 / 1.602e-19
        return {
            "stage_y_um": y,
            "stage_x_um": x,
            "pixel_size_y_nm": size_nm,
            "pixel_size_x_nm": size_nm,
            "height_px": shape,
            "width_px": shape,
            "defocus_nm": defocus,
            "dwell_time_s": dwell_s,
            "time": f"2026-01-01T00:{int(clock // 60) % 60:02d}:{int(clock) % 60:02d}",
            "detector": "HAADF",
            "electrons_per_nm2": electrons / size_nm**2,
        }

    places = [(row * step, column * step) for row, column in raster]
    event(
        "start",
        0.0,
        plan={"tiles": PER_SIDE, "survey_field_nm": FIELD_NM, "focus_range_nm": 200.0},
        plan_hash="abc",
        n_positions=len(raster),
        stage_y_um=[y for y, _ in places],
        stage_x_um=[x for _, x in places],
    )
    defocus = 25.0
    for position, ((row, column), (y, x)) in enumerate(zip(raster, places, strict=True)):
        read_y, read_x = y + rng.normal(0, 0.02), x + rng.normal(0, 0.02)
        if position == 4:
            for attempt in (0, 1, 2):
                action = "retry" if attempt < 2 else "skip"
                event("fault", 30.0, error="stage", message="the stage stalled", step="move", attempt=attempt, action=action, position=4)
            event("skip", 0.0, what="position", position=4, reason="the stage stalled (3 attempts)")
            continue
        event("move", 8.0, position=position, row=row, column=column, stage_y_um=read_y, stage_x_um=read_x, target_y_um=y, target_x_um=x)
        best = -10 + 4.0 * position
        samples = np.linspace(defocus - 100, defocus + 100, 10)
        empty = position == 6
        sharpness = 0.02 + (0 if empty else 0.3) * np.exp(-((samples - best) ** 2) / (2 * 45**2)) + rng.normal(0, 0.004, 10)
        verdict = "no_signal" if empty else "rolled_back" if position == 2 else "best_sample" if position == 5 else "fitted"
        final = defocus if verdict in ("no_signal", "rolled_back") else best
        fit = {"centre_nm": best, "width_nm": 45.0, "amplitude": 0.3, "offset": 0.02} if verdict == "fitted" else None
        event(
            "focus",
            28.0,
            mode="coarse",
            position=position,
            defocus_nm=final,
            start_nm=defocus,
            verdict=verdict,
            samples_nm=samples.tolist(),
            sharpness=sharpness.tolist(),
            fit=fit,
            message="" if fit else "nothing to see" if empty else "no maximum inside the range",
            electrons_per_nm2=900.0,
        )
        defocus = final
        chosen = [] if empty else sorted(rng.choice(PER_SIDE**2, 6, replace=False).tolist())
        tiles = [
            {
                "tile": tile,
                "row": tile // PER_SIDE,
                "column": (tile if (tile // PER_SIDE) % 2 == 0 else PER_SIDE - 1 - tile) % PER_SIDE,
                "n_found": int(rng.integers(3, 20)) if tile in chosen or (tile == 15 and not empty) else 0,
                "selected": tile in chosen,
                "reason": "particles" if tile in chosen else "dose limit" if tile == 15 and not empty else "empty",
            }
            for tile in range(PER_SIDE**2)
        ]
        survey = numbers["survey"]
        numbers["survey"] += 1
        of_survey = frame(read_y, read_x, FIELD_NM / 512, 512, 5e-6, defocus)
        event("survey", 4.0, survey=survey, position=position, read_y_um=read_y, read_x_um=read_x, tiles=tiles, **of_survey)
        for tile in tiles:
            if not tile["selected"]:
                continue
            if position == 3 and tile["tile"] == chosen[0]:
                event("fault", 22.0, error="detector", message="no image", step="image", attempt=0, action="retry", position=3)
            if position == 7 and tile["tile"] == chosen[-1]:
                event("skip", 0.0, what="tile", position=position, tile=tile["tile"], reason="no beam")
                continue
            centre = [(tile[name] + 0.5) / PER_SIDE - 0.5 for name in ("row", "column")]
            side = 1.2 / PER_SIDE
            corner = [min(max(c + 0.5 - side / 2, 0.0), 1 - side) for c in centre]
            at = [stage + (low + side / 2 - 0.5) * FIELD_NM / 1000 for stage, low in zip((read_y, read_x), corner, strict=True)]
            event(
                "image",
                26.0,
                image=numbers["image"],
                survey=survey,
                position=position,
                tile=tile["tile"],
                y0=corner[0],
                x0=corner[1],
                height=side,
                width=side,
                **frame(at[0], at[1], FIELD_NM * side / 1024, 1024, 20e-6, defocus),
            )
            since = 30.0 * (1 + numbers["image"] % 6)
            event(
                "drift",
                0.0,
                survey=survey,
                position=position,
                tile=tile["tile"],
                dy_nm=0.02 * since + rng.normal(0, 0.2),
                dx_nm=-0.01 * since,
                rate_nm_per_min=1.3,
                since_survey_s=since,
                confidence=0.8,
                applied=True,
            )
            numbers["image"] += 1
        if end == "pause" and position == 5:
            event("pause", 0.0, reason="Ctrl-C")
            return events
        if not end and position == 5:
            return events
    event("end", 0.0, reason="raster done")
    return events
