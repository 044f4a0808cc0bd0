"""What a served model offers, as TF Serving's protocol tells it."""

from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

from export.runtime import NUMBERS
from export.session import Signature

_METHOD = "tensorflow/serving/predict"


def signature_map(signatures: dict[str, Signature]) -> SignatureDefMap:
    """Returns the protocol's message on a model's signatures.

    Args:
        signatures: of each name the inputs and outputs.

    Returns:
        A `SignatureDefMap`; a side that may have any size is -1.
    """
    told = SignatureDefMap()
    for name, signature in signatures.items():
        told.signature_def[name].method_name = _METHOD
        for side in ("inputs", "outputs"):
            for tensor, spec in getattr(signature, side).items():
                info = getattr(told.signature_def[name], side)[tensor]
                info.name, info.dtype = spec.tensor, NUMBERS[spec.dtype]
                info.tensor_shape.unknown_rank = spec.shape is None
                for size in spec.shape or ():
                    info.tensor_shape.dim.add(size=-1 if size is None else size)
    return told
