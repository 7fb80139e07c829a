"""reconstruct: 3D shapes from the images of many particles of one kind, each seen from an unknown direction."""

__all__: list[str] = []
