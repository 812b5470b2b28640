"""Small public data sets that R's own documentation prints results of, typed in."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Acute myelogenous leukemia (R: survival::aml; Miller, Survival Analysis, 1981): maintained, not.
_AML = (
    "9 13 13+ 18 23 28+ 31 34 45+ 48 161+",
    "5 5 8 8 12 16+ 23 27 30 33 43 45",
)

# Left ventricular ejection fraction of patients with ventricular tachyarrhythmia (R:
# maxstat::hohnloser; Lausen & Schumacher, Biometrics 1992): fraction, months, event.
_HOHNLOSER = """
11 1 0;11 5 1;12 14 0;13 2 1;13 10 0;13 39 0;15 16 1;17 17 0;20 1 1;20 1 1;20 1 1;20 8 1;20 29 0
21 22 1;22 1 0;22 3 0;22 11 1;22 15 0;23 13 0;24 1 0;24 1 0;24 3 1;24 5 1;24 7 1;24 11 0;24 33 0
25 3 1;25 16 1;26 1 1;26 13 0;26 23 0;27 20 0;28 12 0;30 1 0;30 1 1;31 18 1;31 20 0;32 23 0;33 9 1
33 12 0;33 17 0;33 21 0;34 1 0;34 5 1;34 14 1;34 38 0;36 6 0;37 1 1;38 3 1;38 12 0;38 18 0;39 8 1
40 19 0;41 3 0;41 10 0;41 15 1;43 19 0;43 31 0;43 33 0;44 23 0;44 24 0;49 5 0;50 13 0;51 4 1
51 21 0;51 28 0;52 3 0;52 16 0;52 37 0;56 1 0;56 3 1;56 33 0;57 23 0;57 29 0;58 5 1;58 9 0;58 36 0
59 19 1;60 1 0;60 10 0;61 7 0;64 1 0;64 6 0;64 7 0;64 14 0;65 6 0;70 5 0;70 23 0;72 36 0;75 30 0
77 10 0;77 20 0;80 7 0;93 22 0
"""

# Diffuse large B-cell lymphoma (R: maxstat::DLBCL; Alizadeh et al., Nature 2000;403:503): months,
# event, mean gene expression times 38, which is a number of three decimals. Two patients without
# follow-up stand in R's table, too.
_DLBCL = """
77.4 0 9.423;3.4 1 -.262;71.3 1 5.227;69.6 0 14.109;51.2 0 .977;3.2 1 3.729;8.3 1 -.126
102.4 0 8.169;89.8 0 4.87;88.1 0 8.375;27.1 1 4.425;4.1 1 -1.99;23.7 1 .671;59 0 -2.706
56.6 0 6.182;15.5 1 -2.355;2.4 1 2.787;2.9 1 7.07;80.4 0 3.338;4.6 1 -6.039;8.2 1 1.529
129.9 0 1.064;32.5 1 -1.941;11.8 1 5.254;5.1 1 -.477;90.2 0 -1.599;83.8 0 10.009;71.3 0 11.088
12.3 1 -2.174;69.1 0 6.436;68.8 0 .379;1.3 1 5.724;12.67 1 2.456;72.03 0 11.874;91.33 0 3.659
53.73 0 -1.542;31.47 1 -2.83;39.6 1 .594;9.45 1 -1.781;22.3 1 2.548;nan nan -.766;nan nan 5.141
"""

# Ovarian cancer (R: survival::ovarian; Edmunson et al. 1979): days, event, age, residual disease,
# treatment, ECOG.
_OVARIAN = """
59 1 72.3315 2 1 1;115 1 74.4932 2 1 1;156 1 66.4658 2 1 2;421 0 53.3644 2 2 1;431 1 50.3397 2 1 1
448 0 56.4301 1 1 2;464 1 56.9370 2 2 2;475 1 59.8548 2 2 2;477 0 64.1753 2 1 1;563 1 55.1781 1 2 2
638 1 56.7562 1 1 2;744 0 50.1096 1 2 1;769 0 59.6301 2 2 2;770 0 57.0521 2 2 1;803 0 39.2712 1 1 1
855 0 43.1233 1 1 2;1040 0 38.8932 2 1 2;1106 0 44.6000 1 1 1;1129 0 53.9068 1 2 1
1206 0 44.2055 2 2 1;1227 0 59.5890 1 2 2;268 1 74.5041 2 1 2;329 1 43.1370 2 1 1
353 1 63.2192 1 2 2;365 1 64.4247 2 2 1;377 0 58.3096 1 2 1
"""

# Veterans' Administration lung cancer trial (R: survival::veteran; Kalbfleisch & Prentice 1980):
# days (+: censored), Karnofsky score, months from diagnosis, age, prior therapy (0 or 10).
_VETERAN = {
    (1, "squamous"): """
        72 60 7 69 0;411 70 5 64 10;228 60 3 38 0;126 60 9 63 10;118 70 11 65 10;10 20 5 49 0
        82 40 10 69 10;110 80 29 68 0;314 50 18 43 0;100+ 70 6 70 0;42 60 4 81 0;8 40 58 63 10
        144 30 4 63 0;25+ 80 9 52 10;11 70 11 48 10""",
    (1, "smallcell"): """
        30 60 3 61 0;384 60 9 42 0;4 40 2 35 0;54 80 4 63 10;13 60 4 56 0;123+ 40 3 55 0
        97+ 60 5 67 0;153 60 14 63 10;59 30 2 65 0;117 80 3 46 0;16 30 4 53 10;151 50 12 69 0
        22 60 4 68 0;56 80 12 43 10;21 40 2 55 10;18 20 15 42 0;139 80 2 64 0;20 30 5 65 0
        31 75 3 65 0;52 70 2 55 0;287 60 25 66 10;18 30 4 60 0;51 60 1 67 0;122 80 28 53 0
        27 60 8 62 0;54 70 1 67 0;7 50 7 72 0;63 50 11 48 0;392 40 4 68 0;10 40 23 67 10""",
    (1, "adeno"): """
        8 20 19 61 10;92 70 10 60 0;35 40 6 62 0;117 80 2 38 0;132 80 5 50 0;12 50 4 63 10
        162 80 5 64 0;3 30 3 43 0;95 80 4 34 0""",
    (1, "large"): """
        177 50 16 66 10;162 80 5 62 0;216 50 15 52 0;553 70 2 47 0;278 60 12 63 0;12 40 12 68 10
        260 80 5 45 0;200 80 12 41 10;156 70 2 66 0;182+ 90 2 62 0;143 90 8 60 0;105 80 11 66 0
        103 80 5 38 0;250 70 8 53 10;100 60 13 37 10""",
    (2, "squamous"): """
        999 90 12 54 10;112 80 6 60 0;87+ 80 3 48 0;231+ 50 8 52 10;242 50 1 70 0;991 70 7 50 10
        111 70 3 62 0;1 20 21 65 10;587 60 3 58 0;389 90 2 62 0;33 30 6 64 0;25 20 36 63 0
        357 70 13 58 0;467 90 2 64 0;201 80 28 52 10;1 50 7 35 0;30 70 11 63 0;44 60 13 70 10
        283 90 2 51 0;15 50 13 40 10""",
    (2, "smallcell"): """
        25 30 2 69 0;103+ 70 22 36 10;21 20 4 71 0;13 30 2 62 0;87 60 2 60 0;2 40 36 44 10
        20 30 9 54 10;7 20 11 66 0;24 60 8 49 0;99 70 3 72 0;8 80 2 68 0;99 85 4 62 0;61 70 2 71 0
        25 70 2 70 0;95 70 1 61 0;80 50 17 71 0;51 30 87 59 10;29 40 8 67 0""",
    (2, "adeno"): """
        24 40 2 60 0;18 40 5 69 10;83+ 99 3 57 0;31 80 3 39 0;51 60 5 62 0;90 60 22 50 10
        52 60 3 43 0;73 60 3 70 0;8 50 5 66 0;36 70 8 61 0;48 10 4 81 0;7 40 4 58 0;140 70 3 63 0
        186 90 3 60 0;84 80 4 62 10;19 50 10 42 0;45 40 3 69 0;80 40 4 63 0""",
    (2, "large"): """
        52 60 4 45 0;164 70 15 68 10;19 30 4 39 10;53 60 12 66 0;15 30 5 63 0;43 60 11 49 10
        340 80 10 64 10;133 75 1 65 0;111 60 5 64 0;231 70 18 67 10;378 80 4 65 0;49 30 3 37 0""",
}


def _rows(text: str) -> list[list[str]]:
    return [row.split() for line in text.split("\n") for row in line.split(";") if row.strip()]


def aml() -> pd.DataFrame:
    """Return time, status and x (0 maintained, 1 not) of 23 patients."""
    rows = [
        (float(word.strip("+")), float("+" not in word), float(group))
        for group, words in enumerate(_AML)
        for word in words.split()
    ]
    return pd.DataFrame(rows, columns=["time", "status", "x"])


def hohnloser() -> pd.DataFrame:
    """Return EF, month and cens of 94 patients: integers, heavily tied."""
    return pd.DataFrame(np.array(_rows(_HOHNLOSER), float), columns=["EF", "month", "cens"])


def dlbcl() -> pd.DataFrame:
    """Return time, cens and MGE of 42 patients, 2 of them without follow-up."""
    table = pd.DataFrame(np.array(_rows(_DLBCL), float), columns=["time", "cens", "MGE"])
    return table.assign(MGE=table["MGE"] / 38)


def ovarian() -> pd.DataFrame:
    """Return futime, fustat, age, resid_ds, rx and ecog_ps of 26 patients."""
    columns = ["futime", "fustat", "age", "resid_ds", "rx", "ecog_ps"]
    return pd.DataFrame(np.array(_rows(_OVARIAN), float), columns=columns)


def veteran() -> pd.DataFrame:
    """Return the 137 patients; the cell type as a word and as columns against squamous."""
    rows = [
        (trt, cell, float(time.strip("+")), float("+" not in time), *map(float, rest))
        for (trt, cell), text in _VETERAN.items()
        for time, *rest in _rows(text)
    ]
    columns = ["trt", "celltype", "time", "status", "karno", "diagtime", "age", "prior"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        **{cell: (table["celltype"] == cell) * 1.0 for cell in ("smallcell", "adeno", "large")}
    )
