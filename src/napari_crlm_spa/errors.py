"""Every error that is the user's to read, in one tree.

::

    CrlmSpaError
    ├── SlideError              the slide file
    │   ├── NotASlide               no reader knows the file
    │   ├── UnreadableSlide         truncated, empty, damaged, no permission
    │   ├── MissingCompanion        the folder or files beside it are gone
    │   ├── MissingPixelSize        the file does not say how large a pixel is
    │   └── UnpyramidedSlide        one huge level: too slow to look at
    ├── TilingError             the grid
    │   ├── NoTissue                nothing but glass
    │   ├── ResolutionTooCoarse     tiles would have to be enlarged
    │   └── RegionError             a region file that cannot be used
    ├── StainError              stain estimation
    ├── ModelError              the classifier
    │   ├── ModelNotFound
    │   ├── InvalidModelCard
    │   ├── DamagedWeights          hash or shape differs from the card
    │   ├── DamagedReference        the same of the reference set
    │   └── DeviceError             no such device, or its memory is too small
    ├── TrainingError           training data and the course of a training
    ├── EvaluationError         judging a classifier on labeled tiles
    ├── FeatureError            spatial features
    │   ├── TooLittleTumor          the paper's exclusion: < 50 contiguous tumor tiles
    │   └── NoInterface             no tumor borders on liver
    ├── RiskError               risk models and scores
    │   ├── InvalidRiskModel
    │   └── MissingCutoffs
    ├── ReviewError             corrections, readers, insights that cannot be computed
    ├── AnnotationError         drawn areas and the export of labeled tiles
    ├── TableError              CSV tables with holes or wrong columns
    │   ├── CohortError             a cohort's tables: patients, slides, follow-up
    │   └── SurvivalDataError       times, events or covariates that no model can be fitted to
    └── StoreError              the analysis folder
        ├── FolderNotWritable
        ├── DiskFull
        └── DamagedAnalysis

Each message names the thing, the reason and the way out. The command line prints it and
ends with exit code 2; the panel shows it. Anything else is a bug and keeps its traceback.
"""


class CrlmSpaError(Exception):
    """A problem that the user can understand and mend."""


class SlideError(CrlmSpaError):
    """The slide file cannot be used."""


class NotASlide(SlideError):
    """No reader knows the file."""


class UnreadableSlide(SlideError):
    """The file is truncated, empty, damaged or may not be read."""


class MissingCompanion(SlideError):
    """Files that belong to the slide are not beside it."""


class MissingPixelSize(SlideError):
    """The file does not say, or not plausibly, how large a pixel is."""


class UnpyramidedSlide(SlideError):
    """The slide is one huge level without smaller copies."""


class TilingError(CrlmSpaError):
    """The slide cannot be cut into tiles as asked."""


class NoTissue(TilingError):
    """The slide, or the region asked for, holds nothing but glass."""


class ResolutionTooCoarse(TilingError):
    """Tiles would have to be enlarged: the slide is coarser than the model needs."""


class RegionError(TilingError):
    """A region of interest cannot be used."""


class StainError(CrlmSpaError):
    """The stain cannot be estimated."""


class ModelError(CrlmSpaError):
    """The classifier cannot be used."""


class ModelNotFound(ModelError):
    """There is no model of that name or at that path."""


class InvalidModelCard(ModelError):
    """The model's card is missing, not JSON, or breaks the schema."""


class DamagedWeights(ModelError):
    """The weights are not those that the card describes."""


class DamagedReference(ModelError):
    """The reference set is not the one that the card describes."""


class DeviceError(ModelError):
    """The device does not exist, or its memory is too small."""


class TrainingError(CrlmSpaError):
    """A training cannot start or go on."""


class EvaluationError(CrlmSpaError):
    """A classifier cannot be judged on these tiles, or calibrated on them."""


class FeatureError(CrlmSpaError):
    """Spatial features cannot be computed."""


class TooLittleTumor(FeatureError):
    """The largest tumor region is smaller than the paper's limit."""


class NoInterface(FeatureError):
    """The map has no tumor-liver interface."""


class RiskError(CrlmSpaError):
    """A risk cannot be computed."""


class InvalidRiskModel(RiskError):
    """The risk model file breaks the schema."""


class MissingCutoffs(RiskError):
    """The risk model does not say where its features are split."""


class ReviewError(CrlmSpaError):
    """A correction, a reader's file, or a question to a map that cannot be answered."""


class AnnotationError(CrlmSpaError):
    """Drawn areas that cannot be read, or tiles that cannot be exported from them."""


class TableError(CrlmSpaError):
    """A table misses columns or holds values that cannot be used."""


class CohortError(TableError):
    """The tables of a cohort do not fit together, or cannot be used."""


class SurvivalDataError(TableError):
    """No survival statistic can be computed of these times, events or covariates."""


class StoreError(CrlmSpaError):
    """The analysis folder cannot be read or written."""


class FolderNotWritable(StoreError):
    """Nothing may be written there."""


class DiskFull(StoreError):
    """The disk has no room left."""


class DamagedAnalysis(StoreError):
    """The folder holds something that this package did not write, or only half of it."""
