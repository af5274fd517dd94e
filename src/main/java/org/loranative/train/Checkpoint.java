package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.AtomicFiles;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdapterState;
import org.loranative.lora.AdapterState.Buffer;
import org.loranative.optim.LossScale;

/**
 * What a run needs to go on as if it had never stopped. Random numbers are functions of the seed
 * and the step, so these two are all the state of the generator; the position in the data follows
 * from the step.
 *
 * @param step optimizer steps done
 * @param fingerprint of the training data
 * @param lossScale of f16 training
 */
record Checkpoint(
    int step, long seed, String fingerprint, LossScale.State lossScale, Progress progress) {
  private static final String STATE = "trainer_state.json";
  private static final String OPTIMIZER = "optimizer.safetensors";

  /** Names in the file, as torch's AdamW calls its state. */
  private static final Map<Buffer, String> NAMES =
      Map.of(
          Buffer.PARAMS, "params",
          Buffer.FIRST_MOMENT, "exp_avg",
          Buffer.SECOND_MOMENT, "exp_avg_sq",
          Buffer.FIRST_SCALE, "exp_avg_scale",
          Buffer.SECOND_SCALE, "exp_avg_sq_scale");

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Where a run begins. */
  static Checkpoint start(long seed, String fingerprint) {
    return new Checkpoint(0, seed, fingerprint, LossScale.State.START, Progress.START);
  }

  /** Writes all of it into {@code folder}; the adapter in PEFT's format beside it. */
  void write(Path folder, AdapterState state, Task<?> task, String configYaml) throws IOException {
    task.export(folder, state.read(Buffer.PARAMS));
    Safetensors.write(
        folder.resolve(OPTIMIZER),
        state.kept().keySet().stream().map(b -> tensor(b, state)).toList(),
        Map.of());
    AtomicFiles.writeString(folder.resolve("config.yaml"), configYaml);
    ObjectNode node = JSON.createObjectNode();
    node.put("step", step);
    node.put("rng", "philox4x32-10");
    node.put("seed", seed);
    node.put("data_sha256", fingerprint);
    node.put("loss_scale", lossScale.factor());
    node.put("loss_scale_good_steps", lossScale.goodSteps());
    node.put("lr_factor", progress.rateFactor());
    node.put("rollbacks", progress.rollbacks());
    node.put("best_step", progress.bestStep());
    if (progress.bestStep() > 0) {
      node.put("best_val_loss", progress.bestLoss());
    }
    node.put("measured_since_best", progress.sinceBest());
    byte[] json = JSON.writeValueAsBytes(node);
    AtomicFiles.write(folder.resolve(STATE), out -> out.write(json));
  }

  private static Safetensors.Tensor tensor(Buffer buffer, AdapterState state) {
    ByteBuffer data = state.readBytes(buffer);
    DType dtype = state.kept().get(buffer);
    long size = data.remaining() / dtype.bytesPerBlock;
    return new Safetensors.Tensor(NAMES.get(buffer), dtype, List.of(size), data);
  }

  /** Reads a checkpoint back into {@code state}. */
  static Checkpoint read(Path folder, AdapterState state) {
    JsonNode node;
    try {
      node = JSON.readTree(folder.resolve(STATE).toFile());
    } catch (IOException e) {
      throw new UserException(
          folder + " cannot be resumed from: " + e.getMessage() + " Delete it to use an older one.",
          e);
    }
    Map<String, TensorEntry> tensors = Safetensors.read(folder.resolve(OPTIMIZER)).tensors();
    state.kept().forEach((b, dtype) -> restore(folder, tensors.get(NAMES.get(b)), b, dtype, state));
    return new Checkpoint(
        node.path("step").asInt(),
        node.path("seed").asLong(),
        node.path("data_sha256").asText(),
        new LossScale.State(
            (float) node.path("loss_scale").asDouble(LossScale.State.START.factor()),
            node.path("loss_scale_good_steps").asInt()),
        new Progress(
            node.path("lr_factor").asDouble(1),
            node.path("rollbacks").asInt(),
            node.path("best_step").asInt(),
            node.path("best_val_loss").asDouble(Double.POSITIVE_INFINITY),
            node.path("measured_since_best").asInt()));
  }

  private static void restore(
      Path folder, TensorEntry entry, Buffer buffer, DType dtype, AdapterState state) {
    if (entry == null
        || !entry.type().equals(dtype.name())
        || entry.bytes() != state.readBytes(buffer).remaining()) {
      throw new UserException(
          folder
              + " does not fit this configuration: base model, lora_rank, lora_targets and optimizer"
              + " must be those of the run that wrote it.");
    }
    state.writeBytes(buffer, Safetensors.data(entry));
  }
}
