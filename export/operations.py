"""Which operations a SavedModel may use, so that older servers run it as well."""

from pathlib import Path

# Operations of TensorFlow's core, all of them in TF Serving 2.19 and for years before it, but for
# DisableCopyOnRead, which came with TensorFlow 2.13.
_CORE = """
    Abs Add AddN AddV2 All Any ArgMax Assert AssignVariableOp AvgPool BatchMatMul BatchMatMulV2
    BiasAdd BroadcastArgs BroadcastTo Cast ConcatV2 Const Conv2D Conv2DBackpropInput DecodeJpeg
    DecodePng DecodeRaw DepthToSpace DepthwiseConv2dNative DisableCopyOnRead Einsum EncodePng
    EnsureShape Equal Erf Exp ExpandDims ExtractJpegShape Fill FloorDiv FloorMod GatherV2
    Greater GreaterEqual HashTableV2 Identity IdentityN If Less LessEqual LogicalAnd LogicalNot
    LogicalOr LookupTableFindV2 LookupTableImportV2 LookupTableSizeV2 MatMul Max Maximum Mean
    MergeV2Checkpoints Min Minimum MirrorPad Mul Neg NoOp NotEqual Pack Pad PadV2
    PartitionedCall Placeholder Pow Prod RaggedGather RaggedRange RaggedTensorToTensor Range
    ReadVariableOp RealDiv Relu Reshape RestoreV2 ReverseV2 Round Rsqrt SaveV2 Select SelectV2
    Shape ShardedFilename Sigmoid Slice Softmax SpaceToDepth Split SplitV Sqrt Square
    SquaredDifference Squeeze StatefulPartitionedCall StatelessIf StatelessRandomGetKeyCounter
    StatelessRandomUniformV2 StatelessWhile StaticRegexFullMatch StaticRegexReplace StopGradient
    StridedSlice StringJoin StringLength StringStrip Sub Substr Sum Tanh TensorListFromTensor
    TensorListGetItem TensorListReserve TensorListSetItem TensorListStack Tile Transpose Unpack
    VarHandleOp VarIsInitializedOp Where While ZerosLike
"""

# Operations of TF Text, which TF Serving links in. Its RoundRobinTrim is too new for 2.19.
_TEXT = """
    CaseFoldUTF8 FastWordpieceTokenizeWithOffsets NormalizeUTF8 RegexSplitWithOffsets
"""


def unexpected(folder: str | Path) -> set[str]:
    """Returns the operations of a SavedModel that are not on the list.

    Args:
        folder: of a SavedModel.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    found = set()
    for meta_graph in message.meta_graphs:
        graph = meta_graph.graph_def
        found |= {node.op for node in graph.node}
        found |= {node.op for function in graph.library.function for node in function.node_def}
        # A function is called by its own name.
        found -= {function.signature.name for function in graph.library.function}
    return found - {*_CORE.split(), *_TEXT.split()}
