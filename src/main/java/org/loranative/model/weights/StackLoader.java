package org.loranative.model.weights;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.loranative.device.CpuDevice;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Brings a weight onto a device that is put together of several tensors, or of parts of some.
 *
 * @param all its pieces, as the stack names them
 */
record StackLoader(LoadedWeights loaded, Stacks.Stack stack, List<Piece> all) {
  /**
   * A tensor of a file, or a part of one.
   *
   * @param parts where the file has it in such
   */
  record Piece(Reading reading, Optional<Pieces> parts) {}

  /** Brings the pieces to their place, or quantizes them as one. */
  void load(BlockLoader blocks, Value v, long to) {
    if (v.dtype() == DType.NF4) {
      blocks.quantize(
          v,
          to,
          (host, address) -> {
            try (BlockLoader onHost = new BlockLoader(host)) {
              loadNumbers(onHost, DType.F32, address);
            }
          });
    } else {
      loadNumbers(blocks, v.dtype(), to);
    }
  }

  private void loadNumbers(BlockLoader blocks, DType dtype, long to) {
    if (stack.order().isSame()) {
      loadPieces(blocks, all, dtype, to);
    } else {
      loadInOrder(blocks, dtype, to);
    }
  }

  /** One expert after the other, whose rows are put in order on the host. */
  private void loadInOrder(BlockLoader blocks, DType dtype, long to) {
    Shape shape = stack.shape();
    int experts = Math.toIntExact(shape.dim(0));
    int rows = Math.toIntExact(shape.dim(1));
    int each = all.size() / experts;
    int rowBytes = Math.toIntExact(dtype.bytes(shape.size() / experts / rows));
    long bytes = (long) rows * rowBytes;
    try (CpuDevice host = new CpuDevice(CpuDevice.physicalCores());
        BlockLoader onHost = new BlockLoader(host);
        HostBuffer pieces = new HostBuffer(bytes);
        HostBuffer inOrder = new HostBuffer(bytes)) {
      ByteBuffer from = pieces.view();
      ByteBuffer ordered = inOrder.view();
      for (int e = 0; e < experts; e++) {
        loadPieces(onHost, all.subList(e * each, (e + 1) * each), dtype, pieces.address());
        for (int row = 0; row < rows; row++) {
          int at = Math.toIntExact(stack.order().inFile(row)) * rowBytes;
          ordered.put(row * rowBytes, from, at, rowBytes);
        }
        blocks.device().upload(to + e * bytes, inOrder, bytes);
      }
    }
  }

  private void loadPieces(BlockLoader blocks, List<Piece> pieces, DType dtype, long to) {
    PlainLoader plain = new PlainLoader(blocks.device());
    long at = to;
    for (Piece p : pieces) {
      Reading r = p.reading();
      long from = loaded.inFile(r.entry());
      Value piece = new Value(0, r.shape(), dtype, Kind.WEIGHT, r.entry().name());
      if (p.parts().isPresent() || dtype.isBlocks()) {
        blocks.load(r, from, p.parts(), piece, at);
      } else {
        plain.load(r, from, piece, at);
      }
      loaded.release(r.entry());
      at += piece.bytes();
    }
  }
}
