"""How the tables of a growth-pattern study were computed, in a sentence or two each."""

from napari_crlm_spa.core.hgp.readers import BENCHMARKS

RELIABILITY = (
    "ICC(A,1) of the desmoplastic share (McGraw & Wong 1996) on slides that all readers read; "
    "kappa of the call by each rule, the predominant pattern (ties left out) and bands of the "
    f"share (0, 0.1-33, 33-66, 66-99.9, 100 %), first readings only. {BENCHMARKS}"
)
PAIRS = (
    "ICC(A,1), Bland-Altman bias (first minus second reader) and limits, Cohen's kappa; that "
    "of bands with quadratic weights. First readings only."
)
WITHIN = "As for two readers, first minus second reading; slides that a reader read twice."
SLIDES = (
    "reviewed_: consensus of the readers' first readings; calls by majority (1 D, 0 non-D). "
    "Columns without it are measured."
)
PATIENTS = (
    "Strict: D if all lesions are. Other rules by the share of the whole interface, slides "
    "weighted with its measured length. few_blocks: a lesion has fewer blocks than wanted."
)
ASSOC = (
    "Spearman's rho with the reviewed non-desmoplastic share; partial: given log tumor tiles "
    "and perimeter per area, since the paper's interaction sinks as a lesion grows. "
    "Intervals: percentiles over patients drawn again; p as if slides were independent."
)
EXTREMES = (
    "As in the paper: slides of lowest and of highest score, Fisher's exact test of the "
    "strict reviewed call. Extreme groups inflate an association."
)
AGREEMENT = (
    "Measured minus reviewed desmoplastic share: ICC(A,1), Bland-Altman bias and limits, line "
    "of calibration (reviewed on measured; 0 and 1 are perfect). Intervals of ICC, bias and "
    "line: patients drawn again; of the limits: Bland & Altman 1999; _f: F distribution."
)
CALIBRATION = (
    "Groups of about equal size by the measured desmoplastic share; mean reviewed share "
    "(Student's t) and share of slides called D by the strict rule (Wilson)."
)
AUC = (
    "Area under the ROC curve for a reviewed D, by each rule; _delong: DeLong et al. 1988, "
    "lower and upper: patients drawn again."
)
RULES = (
    "Calls of the measurement against the review by the same rule, and against the strict "
    "rule. Sensitivity is for D. Kappa's interval: patients drawn again; shares: Wilson."
)
CUTOFF = (
    "A cut-off of the contact with liver for the strict reviewed call (at or below: D), "
    "chosen on part of the patients and judged on the others; kappa_apparent is what it "
    "reaches where it was chosen."
)
OUTCOME = (
    "Cox models (Efron's ties) of reviewed and of measured growth pattern, plain and adjusted."
)
ADDED = (
    "Likelihood-ratio test of two Cox models of the same patients; hazard ratio of what is added."
)
