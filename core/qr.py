"""QR codes, drawn here: no outside service ever sees an address of the portal."""

import io

import segno

# Printed on doors and read through rain and scratches: a quarter of the code may be lost ("Q"). The quiet zone of
# four modules is the standard's.
_ERROR_LEVEL = "q"
_BORDER = 4


def svg(data: str) -> bytes:
    """The code as an SVG document, for a view of its own behind `<img src>` (content type image/svg+xml).

    Holds no script, no style and no outside reference, and scales to any size. ValueError when `data` is empty or
    longer than a QR code holds.
    """
    out = io.BytesIO()
    _make(data).save(
        out, kind="svg", border=_BORDER, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True
    )
    return out.getvalue()


def png(data: str, *, size: int = 600) -> bytes:
    """The code as a PNG of about `size` pixels a side (whole modules only). ValueError as for `svg`."""
    code = _make(data)
    modules = code.symbol_size(border=_BORDER)[0]
    out = io.BytesIO()
    code.save(out, kind="png", border=_BORDER, scale=max(size // modules, 1))
    return out.getvalue()


def _make(data: str) -> segno.QRCode:
    if not data:
        raise ValueError("a QR code of nothing")
    # DataOverflowError is a ValueError.
    return segno.make(data, error=_ERROR_LEVEL, micro=False)
