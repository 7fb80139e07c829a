import numpy as np
from numpy.typing import NDArray

_Image = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32] | NDArray[np.float64]

def error_kinds() -> list[str]: ...
def gaussian(image: _Image, sigma_px: float, threads: int) -> NDArray[np.float32]: ...
