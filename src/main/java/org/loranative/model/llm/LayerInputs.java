package org.loranative.model.llm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Affine;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Split;
import org.loranative.model.Net;

/**
 * Embeddings for each layer (transformers' Gemma 4, "per-layer embeddings"): beside the residual
 * stream a layer reads a few channels of each token that are its own. They are the mean, but for
 * 1/√2, of a table's row and of a projection of the token's embedding.
 *
 * @param width P, channels for each layer
 * @param act of the gate that lets them into the stream
 */
record LayerInputs(int width, Act act) {
  /** Rows of all layers, [V, layers P]. */
  static final String TABLE = "embed_tokens_per_layer.weight";

  private static final String SHARED = "per_layer_model_projection";
  private static final String NORM = "per_layer_projection_norm";
  private static final String GATE = "per_layer_input_gate";
  private static final String PROJECTION = "per_layer_projection";
  private static final String END_NORM = "post_per_layer_input_norm";

  /** Its table has rows for the base's own tokens alone. */
  UserException refuseNewRows(Path base) {
    return new UserException(
        String.format(
            "add_tokens: %s has an embedding for each layer beside its own (%s), which stays frozen:"
                + " adapters hold none of its rows, so what is drawn for new tokens would be lost;"
                + " train without add_tokens.",
            base, TABLE));
  }

  /** Linear layers within each layer. */
  List<Projection> linears(long hidden) {
    return List.of(new Projection(GATE, hidden, width), new Projection(PROJECTION, width, hidden));
  }

  /** The one before all layers, under the model's prefix. */
  Projection shared(long hidden, int layers) {
    return new Projection(SHARED, hidden, (long) layers * width);
  }

  /**
   * What each layer reads, [tokens, P].
   *
   * @param prefix of the model's names
   * @param embedded what the stream begins with, [tokens, C]
   */
  List<Value> of(Net net, String prefix, int layers, float normEps, Value ids, Value embedded) {
    Graph g = net.graph();
    float scale = (float) Math.sqrt(width);
    Value row = Embedding.of(g, ids, net.matrix(prefix + TABLE), net.compute(), scale);
    Value projected = net.linear(prefix + SHARED, embedded);
    // The projection is divided by √C, which a norm does not see but for its epsilon.
    float eps = normEps * embedded.shape().last();
    Value normed = net.norm(prefix + NORM, projected, Optional.empty(), eps).y();
    Value both = Affine.of(g, Add.of(g, normed, row), (float) Math.sqrt(0.5), 0);
    List<Value> parts = new ArrayList<>();
    split(g, both, layers, parts);
    return parts;
  }

  /** An op cuts in three at most, so the layers' channels are cut like a tree. */
  private void split(Graph g, Value x, int layers, List<Value> parts) {
    if (layers == 1) {
      parts.add(x);
      return;
    }
    int first = (layers + 2) / 3;
    int second = (layers - first + 1) / 2;
    int third = layers - first - second;
    long w = width;
    List<Value> cut =
        third > 0
            ? Split.of(g, x, first * w, second * w, third * w)
            : Split.of(g, x, first * w, second * w);
    split(g, cut.get(0), first, parts);
    split(g, cut.get(1), second, parts);
    if (third > 0) {
      split(g, cut.get(2), third, parts);
    }
  }

  /** What a layer adds to its stream [tokens, C] of its input. */
  Value end(LayerNet at, Value stream) {
    Value gate = at.linear(GATE, stream);
    Value let = Glu.of(at.graph(), gate, at.input().orElseThrow(), act);
    return at.norm(END_NORM, at.linear(PROJECTION, let));
  }
}
