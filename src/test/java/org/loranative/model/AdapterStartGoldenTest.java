package org.loranative.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Flat;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.PeftFormat;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/**
 * LoRA that begins as a part of the weight, against peft: what it begins as, losses of ten AdamW
 * steps, and that the file gives the trained model on the unchanged base.
 */
class AdapterStartGoldenTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("adapter-starts");

  @TempDir Path folder;

  static Stream<Arguments> all() {
    return Stream.of("cpu", "cuda-emu")
        .flatMap(d -> Stream.of("pissa", "olora").map(init -> Arguments.of(d, init)));
  }

  @ParameterizedTest
  @MethodSource("all")
  void matchesThePeer(String deviceName, String init) throws Exception {
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    Map<String, AdaptedLayer> theirs =
        PeftFormat.read(FOLDER.resolve(init + "/start"), base.targets());
    AdapterMethod method =
        AdapterMethods.named(
                "lora", new AdapterMethod.Choices(-1, LoraInit.named(init).orElseThrow(), 1))
            .orElseThrow();
    LoraSpec spec = new LoraSpec(method, 3, 5, 0, List.copyOf(theirs.keySet()), false, 1);
    Adapters adapters = new Adapters(spec, base.targets());
    Golden golden = new Golden(Golden.FOLDER.resolve("llama/golden.safetensors"));
    Map<String, Object> inputs = inputs(golden);
    int[] labels = golden.ints("labels");
    int denominator = (int) Arrays.stream(labels).filter(label -> label >= 0).count();
    Graph training =
        LlmGraph.training(base, adapters, DType.F32, new SupervisedObjective(), labels.length, 13);
    try (Device device = TestDevices.open(deviceName);
        PlacedModel placed =
            new PlacedModel(device, base.weights(), adapters, base.constants(), training)) {
      Flat params = adapters.initial(1);
      AdapterStart.fill(
          device, base.weights(), adapters, DType.F32, placed.placement(), placed.state(), params);
      placed.state().write(AdapterState.PARAMS, params);
      for (Adapters.Module m : adapters.modules()) {
        assertThat(
                Errors.relative(
                    change(AdaptedLayer.of(m, params, false)), change(theirs.get(m.path()))))
            .as(m.path())
            .isLessThan(1e-4);
      }
      Graph update = placed.update();
      float[] losses = new float[10];
      for (int step = 1; step <= 10; step++) {
        losses[step - 1] = placed.run(training, inputs, step, denominator).get("loss")[0];
        placed.run(update, inputs, step, denominator);
      }
      float[] expected = new Golden(FOLDER.resolve(init + "/losses.safetensors")).floats("losses");
      assertThat(Errors.relative(losses, expected)).as("losses").isLessThan(1e-4);
      finished(base, adapters, placed.state().numbers(AdapterState.PARAMS), init, theirs);
    }
  }

  /** The file is LoRA of twice the rank, whose change is the trained one less the start. */
  private void finished(
      LlmBase base, Adapters adapters, Numbers params, String init, Map<String, AdaptedLayer> start)
      throws Exception {
    PeftFormat.write(folder, adapters, params, base.targets(), "base");
    Map<String, AdaptedLayer> written = PeftFormat.read(folder, base.targets());
    Map<String, AdaptedLayer> end =
        PeftFormat.read(FOLDER.resolve(init + "/final"), base.targets());
    for (Adapters.Module m : adapters.modules()) {
      AdaptedLayer one = written.get(m.path());
      assertThat(one.rank()).isEqualTo(6);
      assertThat(one.method()).isEqualTo(AdapterMethods.DEFAULT);
      float[] expected = change(end.get(m.path()));
      float[] before = change(start.get(m.path()));
      for (int i = 0; i < expected.length; i++) {
        expected[i] -= before[i];
      }
      assertThat(Errors.relative(change(one), expected)).as(m.path()).isLessThan(2e-3);
    }
  }

  /** s B A. */
  private static float[] change(AdaptedLayer layer) {
    float[] a = layer.numbers("lora_A");
    float[] b = layer.numbers("lora_B");
    int in = (int) layer.target().in();
    int out = (int) layer.target().out();
    int rank = layer.rank();
    float[] product = new float[out * in];
    for (int i = 0; i < product.length; i++) {
      double sum = 0;
      for (int r = 0; r < rank; r++) {
        sum += layer.scale() * b[i / in * rank + r] * a[r * in + i % in];
      }
      product[i] = (float) sum;
    }
    return product;
  }

  private static Map<String, Object> inputs(Golden golden) {
    int tokens = golden.ints("ids").length;
    int[] positions = new int[tokens];
    int[] starts = new int[tokens];
    for (int i = 0; i < tokens; i++) {
      starts[i] = i < 7 ? 0 : 7; // make_golden.py's documents
      positions[i] = i - starts[i];
    }
    Map<String, Object> inputs = new HashMap<>();
    inputs.put(LlmGraph.IDS, golden.ints("ids"));
    inputs.put(LlmGraph.LABELS, golden.ints("labels"));
    inputs.put(LlmGraph.POSITIONS, positions);
    inputs.put(LlmGraph.DOC_START, starts);
    return inputs;
  }
}
