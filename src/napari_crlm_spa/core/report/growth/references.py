"""The articles that the methods paragraph of a growth-pattern study cites."""

from __future__ import annotations

from napari_crlm_spa.core.report.cohort import references

REFERENCES = {
    **references.REFERENCES,
    "consensus2017": "van Dam PJ, et al. Br J Cancer 2017;117:1427-1441.",
    "consensus2022": "Latacz E, et al. Br J Cancer 2022;127:988-1013.",
    "galjart": "Galjart B, et al. Angiogenesis 2019;22:355-368.",
    "hoeppener": "H\u00f6ppener DJ, et al. Clin Exp Metastasis 2019;36:311-319.",
    "maps": "Fern\u00e1ndez Moro C, et al. Nat Commun 2023;14:5024.",
    "icc": "McGraw KO, Wong SP. Psychol Methods 1996;1:30-46.",
    "cohen": "Cohen J. Educ Psychol Meas 1960;20:37-46.",
    "fleiss": "Fleiss JL. Psychol Bull 1971;76:378-382.",
    "bland": "Bland JM, Altman DG. Lancet 1986;1:307-310.",
    "limits": "Bland JM, Altman DG. Stat Methods Med Res 1999;8:135-160.",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845.",
    "wilson": "Wilson EB. J Am Stat Assoc 1927;22:209-212.",
}
