package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
record Checkpoint(int step, long seed, String fingerprint, LossScale.State lossScale) {
  private static final String STATE = "trainer_state.json";
  private static final String OPTIMIZER = "optimizer.safetensors";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Writes all of it into {@code folder}; the adapter in PEFT's format beside it. */
  void write(Path folder, AdapterState state, Task<?> task, String configYaml) throws IOException {
    task.export(folder, state.read(Buffer.PARAMS));
    Safetensors.write(
        folder.resolve(OPTIMIZER),
        List.of(
            tensor("params", state.read(Buffer.PARAMS)),
            tensor("exp_avg", state.read(Buffer.FIRST_MOMENT)),
            tensor("exp_avg_sq", state.read(Buffer.SECOND_MOMENT))),
        Map.of());
    AtomicFiles.writeString(folder.resolve("config.yaml"), configYaml);
    ObjectNode node = JSON.createObjectNode();
    node.put("step", step);
    node.put("rng", "philox4x32-10");
    node.put("seed", seed);
    node.put("data_sha256", fingerprint);
    node.put("loss_scale", lossScale.factor());
    node.put("loss_scale_good_steps", lossScale.goodSteps());
    byte[] json = JSON.writeValueAsBytes(node);
    AtomicFiles.write(folder.resolve(STATE), out -> out.write(json));
  }

  private static Safetensors.Tensor tensor(String name, float[] values) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return new Safetensors.Tensor(name, DType.F32, List.of((long) values.length), data);
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
    restore(folder, tensors.get("params"), Buffer.PARAMS, state);
    restore(folder, tensors.get("exp_avg"), Buffer.FIRST_MOMENT, state);
    restore(folder, tensors.get("exp_avg_sq"), Buffer.SECOND_MOMENT, state);
    return new Checkpoint(
        node.path("step").asInt(),
        node.path("seed").asLong(),
        node.path("data_sha256").asText(),
        new LossScale.State(
            (float) node.path("loss_scale").asDouble(LossScale.State.START.factor()),
            node.path("loss_scale_good_steps").asInt()));
  }

  private static void restore(Path folder, TensorEntry entry, Buffer buffer, AdapterState state) {
    float[] values = new float[state.read(buffer).length];
    if (entry == null || entry.elements() != values.length) {
      throw new UserException(
          folder
              + " does not fit this configuration: base model, lora_rank and lora_targets must be"
              + " those of the run that wrote it.");
    }
    Safetensors.data(entry).asFloatBuffer().get(values);
    state.write(buffer, values);
  }
}
