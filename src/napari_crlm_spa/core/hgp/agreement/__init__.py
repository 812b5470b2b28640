"""How far readers, or a reader and an estimate, agree: shares and calls."""

from napari_crlm_spa.core.hgp.agreement.differences import BlandAltman, bland_altman
from napari_crlm_spa.core.hgp.agreement.icc import Icc, icc_a1
from napari_crlm_spa.core.hgp.agreement.kappa import Kappa, cohen_kappa, fleiss_kappa
from napari_crlm_spa.core.hgp.agreement.proportion import Proportion, wilson

__all__ = [
    "BlandAltman",
    "Icc",
    "Kappa",
    "Proportion",
    "bland_altman",
    "cohen_kappa",
    "fleiss_kappa",
    "icc_a1",
    "wilson",
]
