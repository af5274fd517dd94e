package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Linear;
import org.loranative.io.Numbers;

/**
 * LoRA that begins as a part of the weight: W − s B₀ A₀ + s B A. The frozen weight stays as it is,
 * whatever it is stored in; A₀ and B₀ are kept beside A and B and never learn. Files get the
 * difference, LoRA of twice the rank for the unchanged base, as PEFT converts it.
 */
record BaseStartMethod(BaseInit init, LowRankMethod lowRank) implements AdapterMethod {
  private static final String A_START = "lora_A_start";

  /** −s B₀. */
  private static final String B_START = "lora_B_start";

  @Override
  public String name() {
    return LowRankMethod.NAME;
  }

  @Override
  public String label() {
    return lowRank.label();
  }

  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    if (layer.kernel() > 1) {
      throw new UserException(
          String.format(
              "lora_init %s is for linear layers, as in PEFT, but %s is a convolution; leave it out"
                  + " of lora_targets, or take lora_init: default.",
              init.name(), layer.path()));
    }
    List<Part> parts = new ArrayList<>();
    List<Part> learnt = lowRank.parts(layer, rank);
    learnt.forEach(p -> parts.add(p.startingAs(p.name(), new Part.Start.FromBase())));
    parts.add(learnt.get(0).startingAs(A_START, new Part.Start.FromBase()).at(0));
    parts.add(learnt.get(1).startingAs(B_START, new Part.Start.FromBase()).at(0));
    return parts;
  }

  @Override
  public Map<String, Numbers> startFromWeight(Adapters.Module m, Supplier<Numbers> weight) {
    BaseInit.Factors factors =
        init.factors(
            weight.get().all(),
            Math.toIntExact(m.out()),
            Math.toIntExact(m.in()),
            m.rank(),
            m.scale());
    float[] less = factors.b().clone();
    for (int i = 0; i < less.length; i++) {
      less[i] = (float) (-m.scale() * less[i]);
    }
    return Numbers.of(
        Map.of(
            LowRankMethod.A,
            factors.a(),
            LowRankMethod.B,
            factors.b(),
            A_START,
            factors.a(),
            B_START,
            less));
  }

  @Override
  public Set<String> multiplied() {
    return Set.of(LowRankMethod.A, LowRankMethod.B, A_START, B_START);
  }

  @Override
  public Value linear(Site site, Value x, Value w0, Optional<Value> bias) {
    Graph g = site.graph();
    Value with = lowRank.linear(site, x, w0, bias);
    Value a = site.copy(A_START, x.dtype()).orElseGet(() -> site.constant(A_START));
    Value b = site.copy(B_START, x.dtype()).orElseGet(() -> site.constant(B_START));
    String name = site.path() + ".start";
    Value xa = Linear.of(g, name + ".xa", x, a, Optional.empty(), x.dtype());
    return Add.of(g, with, Linear.of(g, name, xa, b, Optional.empty(), x.dtype()));
  }

  @Override
  public Value convolution(
      Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting setting) {
    throw new IllegalStateException(site.path()); // refused by parts
  }

  @Override
  public AdaptedLayer exported(AdaptedLayer layer) {
    int rank = layer.rank();
    AdapterMethod plain = AdapterMethods.DEFAULT;
    float[] a = new float[2 * layer.numbers(LowRankMethod.A).length];
    float[] b = new float[2 * layer.numbers(LowRankMethod.B).length];
    System.arraycopy(layer.numbers(LowRankMethod.A), 0, a, 0, a.length / 2);
    System.arraycopy(layer.numbers(A_START), 0, a, a.length / 2, a.length / 2);
    for (int o = 0; o < layer.target().out(); o++) {
      for (int r = 0; r < rank; r++) {
        b[o * 2 * rank + r] = layer.numbers(LowRankMethod.B)[o * rank + r];
        b[o * 2 * rank + rank + r] = (float) (layer.numbers(B_START)[o * rank + r] / layer.scale());
      }
    }
    Map<String, Numbers> numbers = Numbers.of(Map.of(LowRankMethod.A, a, LowRankMethod.B, b));
    return new AdaptedLayer(
        layer.target(), plain, 2 * rank, 2 * layer.alpha(), numbers, layer.convolution());
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    AdaptedLayer plain = exported(layer);
    plain.method().merge(plain, row, weights);
  }

  @Override
  public Change change(AdaptedLayer layer) {
    return lowRank.change(exported(layer));
  }

  @Override
  public void describe(LoraSpec spec, ObjectNode config) {
    throw new IllegalStateException("files hold what exported() gives");
  }

  /** Files hold plain LoRA. */
  @Override
  public boolean isDescribed(JsonNode config) {
    return false;
  }
}
