"""Rolling moments in constant time, without drift.

Theory of operation. Sums run along: the new value's part is added, the leaving one's taken off.
Values are summed as differences from one of them: squares of differences keep digits that squares
of values lose, and a constant series has a deviation of exactly zero. Rounding errors would pile
up, so the sums are made anew from the stored values once per turn of the window, and at once when
they have lost digits: what left was most of them, or the value they differ from is now far away.
"""

from math import inf, isfinite, sqrt

_DIGITS_LEFT = 1e-4
"""Sums of which less than this part remains are made anew: 12 digits are left."""


def _worn(size: int, total: float, square: float, old: float) -> bool:
    # In a window of n values that holds the one they differ from, the first part is 1/n or more,
    # so fresh sums are not worn.
    left = size * square - total * total
    return left < _DIGITS_LEFT * size * square or square < _DIGITS_LEFT * old * old


class RollingMoments:
    """Mean and population standard deviation of the last `size` values."""

    __slots__ = ("_next", "_ring", "_shift", "_square", "_sum", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._ring: list[float] = []
        self._next = 0
        self._shift = self._sum = self._square = 0.0

    @property
    def full(self) -> bool:
        return len(self._ring) == self.size

    def push(self, value: float) -> None:
        ring = self._ring
        if len(ring) < self.size:
            if not ring:
                self._shift = value
            ring.append(value)
            new = value - self._shift
            self._sum += new
            self._square += new * new
            if len(ring) == self.size:
                self._sum_anew(value)
            return
        index = self._next
        new, old = value - self._shift, ring[index] - self._shift
        ring[index] = value
        self._sum += new - old
        self._square += new * new - old * old
        self._next = index + 1
        if self._next == self.size:
            self._next = 0
            self._sum_anew(value)
        elif _worn(self.size, self._sum, self._square, old):
            self._sum_anew(value)

    def _sum_anew(self, shift: float) -> None:
        self._shift = shift
        differences = [value - shift for value in self._ring]
        self._sum = sum(differences)
        self._square = sum([difference * difference for difference in differences])

    def mean(self) -> float:
        return self._shift + self._sum / len(self._ring)

    def deviation(self) -> float:
        count = len(self._ring)
        mean = self._sum / count
        variance = self._square / count - mean * mean
        return sqrt(variance) if variance > 0.0 else 0.0


class RollingCorrelation:
    """Pearson correlation of the last `size` pairs."""

    __slots__ = ("_next", "_x", "_x0", "_xs", "_xx", "_xy", "_y", "_y0", "_ys", "_yy", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._x: list[float] = []
        self._y: list[float] = []
        self._next = 0
        self._x0 = self._y0 = 0.0
        self._xs = self._ys = self._xx = self._yy = self._xy = 0.0

    def push(self, x: float, y: float) -> None:
        if len(self._x) < self.size:
            if not self._x:
                self._x0, self._y0 = x, y
            self._x.append(x)
            self._y.append(y)
            self._add(x - self._x0, y - self._y0)
            if len(self._x) == self.size:
                self._sum_anew(x, y)
            return
        index = self._next
        old_x, old_y = self._x[index] - self._x0, self._y[index] - self._y0
        self._x[index], self._y[index] = x, y
        self._add(x - self._x0, y - self._y0)
        self._xs -= old_x
        self._ys -= old_y
        self._xx -= old_x * old_x
        self._yy -= old_y * old_y
        self._xy -= old_x * old_y
        self._next = (index + 1) % self.size
        worn_x = _worn(self.size, self._xs, self._xx, old_x)
        if self._next == 0 or worn_x or _worn(self.size, self._ys, self._yy, old_y):
            self._sum_anew(x, y)

    def _add(self, x: float, y: float) -> None:
        self._xs += x
        self._ys += y
        self._xx += x * x
        self._yy += y * y
        self._xy += x * y

    def _sum_anew(self, x0: float, y0: float) -> None:
        self._x0, self._y0 = x0, y0
        self._xs = self._ys = self._xx = self._yy = self._xy = 0.0
        for x, y in zip(self._x, self._y, strict=True):
            self._add(x - x0, y - y0)

    def value(self) -> float | None:
        """Return the correlation; none before `size` pairs, or where a side does not move."""
        size = self.size
        if len(self._x) < size:
            return None
        x_part = size * self._xx - self._xs * self._xs
        y_part = size * self._yy - self._ys * self._ys
        both = size * self._xy - self._xs * self._ys
        if not (0.0 < x_part < inf and 0.0 < y_part < inf and isfinite(both)):
            return None
        return max(-1.0, min(1.0, both / (sqrt(x_part) * sqrt(y_part))))
