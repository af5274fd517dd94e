package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.device.Device;
import org.loranative.gpucheck.RandomModel;
import org.loranative.graph.Graph;
import org.loranative.graph.Recompute.Mode;
import org.loranative.io.DType;
import org.loranative.lora.Slot;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.Optimizer;
import org.loranative.optim.Optimizers;
import org.loranative.optim.Update;
import org.loranative.testing.TestDevices;
import org.loranative.train.llm.LlmTraining;

/** Plans of Llama 3 8B's layers in NF4, four of them, whose files hold no numbers. */
class SharedMatricesTest {
  private static final int LAYERS = 4;

  @TempDir private static Path folder;

  @BeforeAll
  static void write() throws IOException {
    RandomModel.main(new String[] {"llama-8b", folder.toString(), "layers=" + LAYERS});
  }

  private static TrainConfig config() throws IOException {
    return ConfigReader.read(
        Optional.empty(),
        List.of(
            "base_model=" + folder,
            "output_dir=" + folder.resolve("out"),
            "metadata_path=" + folder.resolve("data.jsonl"),
            "data_format=text",
            "quantize=nf4",
            "lora_rank=16",
            "batch_size=2",
            "max_length=2048"));
  }

  /** A plan for each budget, in percent of what a plan without recompute takes. */
  private static List<MemoryPlan> plans(String deviceName, int... percents) throws IOException {
    TrainConfig config = config();
    List<MemoryPlan> plans = new ArrayList<>();
    try (Device device = TestDevices.open(deviceName);
        LlmTraining kind = new LlmTraining(config, device, DType.BF16)) {
      Optimizer optimizer =
          Optimizers.named("adamw", new Hyperparameters(0.9f, 0.999f, 1e-8f, 0.01f));
      List<Slot> slots = optimizer.slots(kind.adapters());
      Graph update = Update.of(optimizer, kind.adapters(), DType.BF16, 1);
      var steps = new Steps<>(kind.task(), config.gradientAccumulation(), config.epochs(), 1);
      RunGraphs graphs = RunGraphs.of(kind, steps, update, DType.BF16);
      MemoryPlan most = MemoryPlan.choose(kind, slots, device, graphs, Long.MAX_VALUE, "all");
      for (int percent : percents) {
        long budget = most.total() / 100 * percent;
        plans.add(MemoryPlan.choose(kind, slots, device, graphs, budget, "the card's memory"));
        assertThat(plans.get(plans.size() - 1).total()).isLessThanOrEqualTo(budget);
      }
    }
    return plans;
  }

  private static long whole(MemoryPlan plan) {
    return plan.largest().recompute().values().stream().filter(m -> m == Mode.EVERYTHING).count();
  }

  private static long dequantized(MemoryPlan plan) {
    return plan.largest().plan().ops().stream()
        .filter(op -> op.name().equals("dequantize_matrix"))
        .count();
  }

  /** q, o, gate and up, of the first block not q, whose gradient nobody wants. */
  private static long matrices(MemoryPlan plan) {
    return Math.max(0, plan.largest().sharing() * 4L - 1);
  }

  @Test
  void recomputedBlocksShareAsFarAsMemoryGoes() throws IOException {
    List<MemoryPlan> plans = plans("cuda-emu", 95, 82, 78, 76, 74);
    assertThat(plans).extracting(SharedMatricesTest::whole).containsExactly(0L, 2L, 3L, 3L, 3L);
    assertThat(plans).extracting(p -> p.largest().sharing()).containsExactly(0, 2, 3, 2, 1);
    assertThat(plans)
        .allSatisfy(p -> assertThat(dequantized(p)).isEqualTo(matrices(p)))
        .allSatisfy(
            p ->
                assertThat(p.table().contains("dequantized once for recompute and backward"))
                    .isEqualTo(p.largest().sharing() > 0));
  }

  @Test
  void theCpuSharesNothing() throws IOException {
    for (MemoryPlan plan : plans("cpu", 85, 80)) {
      assertThat(plan.largest().sharing()).isZero();
      assertThat(plan.table()).doesNotContain("dequantized once");
    }
  }
}
