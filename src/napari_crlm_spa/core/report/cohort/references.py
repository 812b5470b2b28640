"""The articles that the methods paragraph cites."""

from __future__ import annotations

from collections.abc import Mapping

REFERENCES = {
    "paper": "Qi L, et al. iScience 2023;26:107702.",
    "crs": "Fong Y, et al. Ann Surg 1999;230:309-318.",
    "reverse": "Schemper M, Smith TL. Control Clin Trials 1996;17:343-346.",
    "maxstat": "Lausen B, Schumacher M. Biometrics 1992;48:73-85.",
    "conditional": "Hothorn T, Lausen B. Comput Stat Data Anal 2003;43:121-137.",
    "optimal": "Altman DG, et al. J Natl Cancer Inst 1994;86:829-835.",
    "held_out": "Faraggi D, Simon R. Stat Med 1996;15:2203-2213.",
    "cox": "Cox DR. J R Stat Soc B 1972;34:187-220.",
    "efron": "Efron B. J Am Stat Assoc 1977;72:557-565.",
    "breslow": "Breslow N. Biometrics 1974;30:89-99.",
    "fdr": "Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300.",
    "aic": "Akaike H. IEEE Trans Automat Contr 1974;19:716-723.",
    "mass": "Venables WN, Ripley BD. Modern Applied Statistics with S, 4th ed. Springer, 2002.",
    "ph": "Grambsch PM, Therneau TM. Biometrika 1994;81:515-526.",
    "harrell": "Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361-387.",
    "km": "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481.",
    "roc": "Blanche P, Dartigues JF, Jacqmin-Gadda H. Stat Med 2013;32:5381-5397.",
    "brier": "Graf E, et al. Stat Med 1999;18:2529-2545.",
    "decision": "Vickers AJ, et al. BMC Med Inform Decis Mak 2008;8:53.",
    "penalized": "Simon N, et al. J Stat Softw 2011;39(5):1-13.",
    "lifelines": "Davidson-Pilon C. J Open Source Softw 2019;4:1317.",
}


class Citations:
    """Numbers citations in the order in which they are made."""

    def __init__(self, references: Mapping[str, str] = REFERENCES) -> None:
        self._references = references
        self._keys: list[str] = []

    def __call__(self, *keys: str) -> str:
        """Return e.g. ``[3,4]``."""
        for key in keys:
            if key not in self._keys:
                self._keys.append(key)
        return "[" + ",".join(str(self._keys.index(key) + 1) for key in keys) + "]"

    def listed(self) -> list[str]:
        """Return what was cited, in order."""
        return [self._references[key] for key in self._keys]
