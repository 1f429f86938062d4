"""How kept results become bytes, under Prefect 1's names: `LocalResult(serializer=JSONSerializer())`."""

from schedulerd.authoring.kept_results import JSONSerializer, PickleSerializer

__all__ = ["JSONSerializer", "PickleSerializer"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
