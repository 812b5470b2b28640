"""How the codes of an interface are named and colored, wherever they are shown. The one place."""

from __future__ import annotations

from napari_crlm_spa.core.spatial.interface.codes import InterfaceCode

#: Okabe and Ito's, told apart in all common forms of color blindness and on pink tissue.
CODE_COLORS: dict[InterfaceCode, str] = {
    InterfaceCode.D: "#0072b2",
    InterfaceCode.N: "#d55e00",
    InterfaceCode.O: "#f0e442",
    InterfaceCode.U: "#8c959f",
}
CODE_TITLES: dict[InterfaceCode, str] = {
    InterfaceCode.D: "rim between",
    InterfaceCode.N: "tumor touches liver",
    InterfaceCode.O: "something else between",
    InterfaceCode.U: "cannot be judged",
}
