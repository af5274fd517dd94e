package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.LoraConv2d;
import org.loranative.graph.ops.LoraDown;
import org.loranative.graph.ops.LoraExpertLinear;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.graph.ops.LoraUp;
import org.loranative.graph.ops.LowRank;
import org.loranative.graph.ops.Routed;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.random.Philox;

/**
 * LoRA (Hu et al. 2021): the weight gains s B A.
 *
 * @param plusRatio learning rate of B, relative to A's (LoRA+, Hayou et al. 2024)
 */
record LowRankMethod(FreshInit init, double plusRatio) implements AdapterMethod {
  static final String NAME = "lora";

  static final String A = "lora_A";
  static final String B = "lora_B";
  private static final String MIDDLE = "lora_mid";

  private static final Part.Keys KEYS_A =
      new Part.Keys(
          ".lora_down.weight",
          ".lora_A.weight",
          List.of(
              ".lora_A.default.weight",
              ".lora_linear_layer.down.weight",
              ".lora.down.weight",
              "_lora.down.weight",
              ".lora_A"));
  private static final Part.Keys KEYS_B =
      new Part.Keys(
          ".lora_up.weight",
          ".lora_B.weight",
          List.of(
              ".lora_B.default.weight",
              ".lora_linear_layer.up.weight",
              ".lora.up.weight",
              "_lora.up.weight",
              ".lora_B"));

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String label() {
    return "LoRA";
  }

  LowRankMethod() {
    this(LoraInit.DEFAULT, 1);
  }

  @Override
  public AdapterMethod with(Choices choices) {
    return choices.init().method(choices.plusRatio());
  }

  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    Shape a = Shape.of(rank, layer.in());
    return List.of(
        new Part(
            A,
            ofEach(layer, a),
            Part.Axes.RANK_BY_INPUT,
            Part.InFiles.KERNEL,
            init.start(a),
            false,
            KEYS_A),
        new Part(
            B,
            ofEach(layer, Shape.of(layer.out(), rank)),
            Part.Axes.OUTPUT_BY_RANK,
            Part.InFiles.PIXEL,
            new Part.Start.Zeros(),
            true,
            KEYS_B,
            plusRatio));
  }

  /** A matrix, or one for each expert. */
  private static Shape ofEach(Adapters.Target layer, Shape matrix) {
    return layer.experts() == 0 ? matrix : Shape.of(layer.experts(), matrix.dim(0), matrix.dim(1));
  }

  @Override
  public Set<String> multiplied() {
    return Set.of(A, B);
  }

  private static LowRank matrices(Site site, DType dtype) {
    Value a = site.part(A);
    Value b = site.part(B);
    return new LowRank(a, b, site.copy(A, dtype).orElse(a), site.copy(B, dtype).orElse(b));
  }

  @Override
  public boolean adaptsExperts() {
    return true;
  }

  @Override
  public Value experts(Site site, Value x, Value w, Routed route) {
    float scale = (float) site.module().scale();
    return LoraExpertLinear.of(
        site.graph(), site.path(), x, w, route, matrices(site, x.dtype()), scale);
  }

  @Override
  public Value linear(Site site, Value x, Value w0, Optional<Value> bias) {
    return linear(site, site.path(), x, w0, bias);
  }

  /** In 16 bits, layers of one scale and without dropout read x together. */
  @Override
  public List<Supplier<Value>> linears(Value x, List<Layer> layers) {
    List<LoraLinear.Setting> settings = layers.stream().map(l -> setting(l.site())).toList();
    float scale = settings.get(0).scale();
    if (x.dtype() == DType.F32
        || layers.size() < 2
        || layers.size() > LoraDown.MOST
        || settings.stream().anyMatch(s -> s.dropout() > 0 || s.scale() != scale)) {
      return AdapterMethod.super.linears(x, layers);
    }
    return LoraUp.of(
        layers.get(0).site().graph(),
        x,
        layers.stream()
            .map(
                l ->
                    new LoraUp.Layer(
                        l.site().path(), l.w0(), l.bias(), matrices(l.site(), x.dtype())))
            .toList(),
        scale);
  }

  /** The adapted layer under a name of its own. */
  static Value linear(Site site, String name, Value x, Value w0, Optional<Value> bias) {
    return LoraLinear.of(site.graph(), name, x, w0, bias, matrices(site, x.dtype()), setting(site));
  }

  @Override
  public Value convolution(
      Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting convolution) {
    Value frozen = Conv2d.of(site.graph(), site.path(), x, w0, bias, convolution);
    return convolution(site, site.path(), x, frozen, convolution);
  }

  /** What the adapter adds to the frozen convolution's output, and that. */
  static Value convolution(
      Site site, String name, Value x, Value frozen, Conv2d.Setting convolution) {
    return LoraConv2d.of(
        site.graph(), name, x, frozen, matrices(site, x.dtype()), convolution, setting(site));
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    float[] gain = new float[weights.length];
    int expert = row / Math.toIntExact(layer.target().out());
    int above = expert * layer.rank();
    addProduct(layer.numbers(B), layer.numbers(A), layer.rank(), row, above, gain);
    float scale = (float) layer.scale();
    for (int c = 0; c < gain.length; c++) {
      weights[c] += scale * gain[c];
    }
  }

  /**
   * Adds a row of {@code left · right}.
   *
   * @param left [n, rank]
   * @param right [rank, m]
   */
  static void addProduct(float[] left, float[] right, int rank, int row, float[] to) {
    addProduct(left, right, rank, row, 0, to);
  }

  private static void addProduct(
      float[] left, float[] right, int rank, int row, int above, float[] to) {
    for (int r = 0; r < rank; r++) {
      float by = left[row * rank + r];
      int at = (above + r) * to.length;
      for (int c = 0; c < to.length; c++) { // vector code
        to[c] += by * right[at + c];
      }
    }
  }

  @Override
  public Change change(AdaptedLayer layer) {
    return Change.of(
        layer.ofEachExpert().stream()
            .map(one -> Change.spectrum(one.numbers(B), one.numbers(A), one.rank(), one.scale()))
            .toList());
  }

  @Override
  public boolean concatenates() {
    return true;
  }

  @Override
  public void describe(LoraSpec spec, ObjectNode config) {
    config.put("peft_type", "LORA");
    config.put("r", spec.rank());
    config.put("lora_alpha", spec.alpha());
    config.put("lora_dropout", spec.dropout());
    config.put("use_rslora", spec.rslora());
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    if (init.equals(LoraInit.DEFAULT)) {
      config.put("init_lora_weights", true);
    } else {
      config.put("init_lora_weights", init.name());
    }
  }

  @Override
  public boolean isDescribed(JsonNode config) {
    return isLora(config) && !config.path("use_dora").asBoolean();
  }

  static boolean isLora(JsonNode config) {
    return config.path("peft_type").asText("LORA").equals("LORA");
  }

  private static LoraLinear.Setting setting(Site site) {
    Adapters.Module m = site.module();
    return new LoraLinear.Setting(
        (float) m.scale(),
        site.training() ? (float) m.spec().dropout() : 0,
        Philox.DROPOUT + m.index());
  }

  /** Of a convolution taken apart further (CP): between A and B. */
  @Override
  public Map<String, String> fileExtras() {
    return Map.of(".lora_mid.weight", MIDDLE);
  }

  /**
   * With a middle tensor [rank, rank, kernel, kernel] the file's A is [rank, channels], and the
   * layer's the product of both.
   */
  @Override
  public Optional<Map<String, float[]>> read(
      Adapters.Target layer, int rank, Map<String, TensorEntry> tensors) {
    TensorEntry middle = tensors.get(MIDDLE);
    if (middle == null) {
      return AdapterMethod.super.read(layer, rank, tensors);
    }
    List<Part> parts = parts(layer, rank);
    int taps = layer.kernel() * layer.kernel();
    int channels = Math.toIntExact(layer.in() / taps);
    if (tensors.get(A).elements() != (long) rank * channels
        || middle.elements() != (long) rank * rank * taps
        || tensors.get(B).elements() != parts.get(1).size()) {
      return Optional.empty();
    }
    float[] first = Safetensors.floats(tensors.get(A));
    float[] mid = Safetensors.floats(middle);
    float[] a = new float[rank * channels * taps];
    for (int r = 0; r < rank; r++) {
      for (int c = 0; c < channels; c++) {
        for (int tap = 0; tap < taps; tap++) {
          double sum = 0;
          for (int j = 0; j < rank; j++) {
            sum += (double) mid[(r * rank + j) * taps + tap] * first[j * channels + c];
          }
          a[(r * channels + c) * taps + tap] = (float) sum;
        }
      }
    }
    return Optional.of(
        Map.of(A, parts.get(0).ofFile(a, layer), B, Safetensors.floats(tensors.get(B))));
  }
}
