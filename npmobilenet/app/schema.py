"""The JSON that goes in and out."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Label = Annotated[str, Field(max_length=200)]


class EmbedOptions(BaseModel):
    """What may be said beside the pictures."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model: str | None = Field(
        None, max_length=200, description="A name of /api/models; by default the first."
    )


class ClassifyOptions(EmbedOptions):
    """What may be said beside the pictures."""

    topk: int = Field(5, ge=1, description="How many classes at most.")
    threshold: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="Smallest probability reported."
    )
    allow: list[Label] | None = Field(
        None, max_length=2000, description="Labels or WordNet ids to keep to."
    )
    deny: list[Label] | None = Field(
        None, max_length=2000, description="Labels or WordNet ids to leave out."
    )


class _Pictures(BaseModel):
    """Pictures in JSON."""

    model_config = ConfigDict(extra="forbid", val_json_bytes="base64")

    images: list[bytes] = Field(
        min_length=1,
        description="Picture files (JPEG, PNG, WebP, ...) in base64.",
        json_schema_extra={"items": {"type": "string", "contentEncoding": "base64"}},
    )


class EmbedRequest(EmbedOptions, _Pictures):
    """Pictures to embed."""


class ClassifyRequest(ClassifyOptions, _Pictures):
    """Pictures to classify."""


class Prediction(BaseModel):
    """One class and how probable it is."""

    index: int
    wnid: str | None
    label: str
    probability: float


class ClassifyAnswer(BaseModel):
    """For each picture, in order, its classes, the most probable first."""

    model: str
    results: list[list[Prediction]]


class EmbedAnswer(BaseModel):
    """For each picture, in order, the mean of the last feature map."""

    model: str
    size: int
    embeddings: list[list[float]]


class ModelFacts(BaseModel):
    """A model that may be asked for."""

    name: str
    default: bool
    loaded: bool
    is_classifier: bool
    input_size: tuple[int, int] = Field(description="Height and width.")
    classes: int | None
    input_range: tuple[float, float] | None = Field(
        description="What black and white become; without it the model takes no pictures."
    )
    assumptions: list[str] = Field(description="What the model's file does not say.")
    embedding_size: int
    parameters: int
    macs: int = Field(description="Multiply-adds for one picture.")


class Health(BaseModel):
    """That the server answers, and its bounds."""

    status: str
    version: str
    in_flight: int = Field(description="Requests that run or wait, this one not counted.")
    limits: dict[str, int | float | None]


class Place(BaseModel):
    """A field that is wrong."""

    field: str
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457."""

    title: str
    status: int
    detail: str
    errors: list[Place] | None = None


def problem_schema() -> dict[str, Any]:
    """The JSON schema of a problem without references, for a place inside a larger document."""
    schema = Problem.model_json_schema()
    place = schema.pop("$defs")["Place"]
    for kind in schema["properties"]["errors"]["anyOf"]:
        if kind["type"] == "array":
            kind["items"] = place
    return schema


LONGEST_DETAIL = 500
LONGEST_FIELD = 100


def problem(
    status: int, title: str, detail: str, errors: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """The JSON of an error; what a client has sent is repeated in part at most."""
    places = [
        Place(field=_shortened(field, LONGEST_FIELD), message=_shortened(message, LONGEST_DETAIL))
        for field, message in errors or []
    ]
    detail = _shortened(detail, LONGEST_DETAIL)
    body = Problem(title=title, status=status, detail=detail, errors=places or None)
    return body.model_dump(exclude_none=True)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-(most // 2) + 5 :]}"
