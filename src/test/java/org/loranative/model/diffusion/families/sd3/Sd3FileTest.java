package org.loranative.model.diffusion.families.sd3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.Adapters;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;

/** A Stable Diffusion 3 of one file computes what diffusers computes from it. */
class Sd3FileTest {
  private static final Path MODEL = Golden.FOLDER.resolve("single-sd3/model.safetensors");
  private static final Golden GOLDEN = new Golden(MODEL.resolveSibling("golden.safetensors"));

  @TempDir Path folder;

  private static void check(
      DiffusionBase base, Graph g, Map<String, Object> inputs, String... names) {
    try (Device cpu = new CpuDevice(2);
        PlacedModel model = new PlacedModel(cpu, base.weights(), Adapters.none(), Map.of(), g)) {
      Map<String, float[]> results = model.run(g, inputs, 1, 1);
      for (int i = 0; i < names.length; i += 2) {
        assertThat(Errors.relative(results.get(names[i]), GOLDEN.floats(names[i + 1])))
            .as(names[i + 1])
            .isLessThan(1e-5);
      }
    }
  }

  @Test
  void computesWhatDiffusersComputes() {
    DiffusionBase base = DiffusionFamilies.open(MODEL);
    assertThat(base.family().name()).isEqualTo("sd3");
    Map<String, Object> inputs = textInputs(base);
    Graph texts = DiffusionGraph.texts(base, Adapters.none(), DType.F32, 1, 0);
    check(base, texts, inputs, "text", "text", "pooled", "pooled");
    // T5 overflows f16: it computes in f32 there, which a CPU can.
    Graph half = DiffusionGraph.texts(base, Adapters.none(), DType.F16, 1, 0);
    check(base, half, inputs, "text", "text");

    inputs.put("image", GOLDEN.floats("image"));
    Graph encoder = DiffusionGraph.encoder(base, DType.F32, 1, 12, 20);
    check(base, encoder, inputs, "moments", "moments");
    inputs.put("latents", GOLDEN.floats("latents"));
    Graph decoder = DiffusionGraph.decoder(base, DType.F32, 1, 6, 10);
    check(base, decoder, inputs, "image", "decoded");
    inputs.put("text", GOLDEN.floats("context"));
    inputs.put("pooled", GOLDEN.floats("pooled"));
    inputs.put("timesteps", GOLDEN.floats("timesteps"));
    int keys = GOLDEN.tensors().get("context").shape().get(1).intValue();
    DiffusionGraph.Size size = new DiffusionGraph.Size(1, 6, 10, keys);
    Graph prediction = DiffusionGraph.prediction(base, Adapters.none(), DType.F32, size);
    check(base, prediction, inputs, "prediction", "prediction");
  }

  private static Map<String, Object> textInputs(DiffusionBase base) {
    Map<String, Object> inputs = new HashMap<>();
    int[] ids = GOLDEN.ints("ids");
    int[] positions = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i;
    }
    for (String prefix : List.of(Sd3Encoders.FIRST, Sd3Encoders.SECOND)) {
      inputs.put(prefix + "ids", ids);
      inputs.put(prefix + "positions", positions);
      inputs.put(prefix + "doc_start", new int[ids.length]);
      inputs.put(prefix + "end_rows", new int[] {7});
    }
    inputs.put(Sd3Encoders.THIRD + "ids", GOLDEN.ints("t5_ids"));
    T5Config t5 = ((Sd3Encoders) base.family().text()).third().map(T5Place::config).orElseThrow();
    inputs.put(Sd3Encoders.THIRD + "distances", distances(t5));
    return inputs;
  }

  /** The transformer and T5 in 4 bits, CLIPs and tables not. */
  @Test
  void largeEncodersAreQuantizedToo() {
    DiffusionBase base = DiffusionFamilies.open(MODEL);
    base.quantize(Quantize.NF4);
    Map<String, Value> held =
        Weights.of(List.of(DiffusionGraph.texts(base, Adapters.none(), DType.F32, 1, 0)));
    String t5 = "text_encoder_3.encoder.block.1.layer.";
    assertThat(held.get(t5 + "0.SelfAttention.q.weight").dtype()).isEqualTo(DType.NF4);
    assertThat(held.get(t5 + "1.DenseReluDense.wo.weight").dtype()).isEqualTo(DType.NF4);
    assertThat(held.get("text_encoder_3.shared.weight").dtype()).isEqualTo(DType.F32);
    assertThat(held.get("text_encoder.encoder.layers.0.self_attn.q_proj.weight").dtype())
        .isEqualTo(DType.F32);
    Graph texts = DiffusionGraph.texts(base, Adapters.none(), DType.F32, 1, 0);
    try (Device cpu = new CpuDevice(2);
        PlacedModel model =
            new PlacedModel(cpu, base.weights(), Adapters.none(), Map.of(), texts)) {
      float[] text = model.run(texts, textInputs(base), 1, 1).get("text");
      assertThat(Errors.relative(text, GOLDEN.floats("text"))).isBetween(1e-4, 0.2);
    }
  }

  /** As T5Reader tells them; the golden ones are transformers'. */
  private static int[] distances(T5Config t5) {
    int[] expected = new Golden(Golden.FOLDER.resolve("sd35/golden.safetensors")).ints("distances");
    assertThat(t5.distances(Sd3Encoders.T5_TOKENS)).isEqualTo(expected);
    return expected;
  }

  private Path without(String prefix) throws Exception {
    List<Safetensors.Tensor> kept = new ArrayList<>();
    for (TensorEntry e : Safetensors.read(MODEL).tensors().values()) {
      if (!e.name().startsWith(prefix)) {
        ByteBuffer data = Safetensors.data(e);
        kept.add(new Safetensors.Tensor(e.name(), DType.F16, e.shape(), data));
      }
    }
    Path file = folder.resolve("some.safetensors");
    Safetensors.write(file, kept, Map.of());
    return file;
  }

  @Test
  void withoutT5ItsPartIsZeros() throws Exception {
    DiffusionBase base = DiffusionFamilies.open(without("text_encoders.t5xxl."));
    assertThat(((Sd3Encoders) base.family().text()).third()).isEqualTo(Optional.empty());
  }

  @Test
  void withoutTextEncodersItSaysWhatToName() throws Exception {
    Path file = without("text_encoders.");
    assertThatThrownBy(() -> DiffusionFamilies.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("text encoders")
        .hasMessageContaining("text_encoder_path");
  }

  @Test
  void whatIsLeftOverIsNamed() throws Exception {
    Path file = without("model.diffusion_model.joint_blocks.1.x_block.mlp.fc2");
    assertThatThrownBy(() -> DiffusionFamilies.open(file)).isInstanceOf(UserException.class);
  }
}
