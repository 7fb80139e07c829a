"""nanospa: inorganic nanoparticles in electron-microscope images, at population scale.

acquire → segment → measure → cluster → reconstruct → trace → stats

>>> import nanospa as ns
>>> frame = ns.simulate.frame(shape=(400, 400), n_particles=6, seed=1)
>>> labels = ns.segment.segment(frame.image)
>>> particles = ns.measure.measure(frame.image, labels, pixel_size_nm=0.2)
>>> int(particles.sizes["particle"])
6
"""

from typing import TYPE_CHECKING

import lazy_loader as lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    submodules=[
        "acquire",
        "cluster",
        "errors",
        "io",
        "measure",
        "pipeline",
        "reconstruct",
        "report",
        "schema",
        "segment",
        "simulate",
        "testing",
    ],
    submod_attrs={"_threads": ["threads"], "io.store": ["open"]},
)
__all__ += ["__version__"]

if TYPE_CHECKING:
    from nanospa import acquire, cluster, errors, io, measure, pipeline, reconstruct, report, schema, segment, simulate, testing
    from nanospa._threads import threads
    from nanospa.io.store import open
