"""What a person reads in place of a field's name: the titles of a JSON Schema, as every form and table shows them."""

from pydantic.fields import ComputedFieldInfo, FieldInfo


def title_of(name: str, _: FieldInfo | ComputedFieldInfo | None = None) -> str:
    """A name in words, as Pydantic's `field_title_generator`: how many spirals there are is asked for as Spirals."""
    words = name.removeprefix("n_").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
