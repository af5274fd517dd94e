package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.io.AtomicFiles;
import org.loranative.io.Checksums;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Slot;
import org.loranative.optim.EvaluatedState;
import org.loranative.optim.LossScale;
import org.loranative.optim.Optimizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a run needs to go on as if it had never stopped. Random numbers are functions of the seed
 * and the step, so these two are all the state of the generator; the position in the data follows
 * from the step.
 *
 * @param step optimizer steps done
 * @param identity of the run
 * @param lossScale of f16 training
 */
public record Checkpoint(
    int step, RunIdentity identity, LossScale.State lossScale, Progress progress) {
  /** What the names of checkpoints begin with; their step follows. */
  static final String NAME = "checkpoint-";

  private static final Logger log = LoggerFactory.getLogger(Checkpoint.class);
  private static final String STATE = "trainer_state.json";
  private static final String OPTIMIZER = "optimizer.safetensors";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** The step of a checkpoint's name. */
  static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring(NAME.length()));
  }

  /** Where a run begins. */
  static Checkpoint start(RunIdentity identity) {
    return new Checkpoint(0, identity, LossScale.State.START, Progress.START);
  }

  /** A checkpoint that is not whole, or not as it was written. */
  static final class DamagedException extends UserException {
    DamagedException(Path folder, String why) {
      super(folder + " is damaged: " + why + ".");
    }
  }

  /** Writes all of it into {@code folder}; the adapter in PEFT's format beside it. */
  void write(Path folder, Optimizer optimizer, AdapterState state, Task<?> task, String configYaml)
      throws IOException {
    task.export(folder, EvaluatedState.params(optimizer, state));
    Safetensors.stream(
        folder.resolve(OPTIMIZER), state.kept().stream().map(state::stream).toList(), Map.of());
    AtomicFiles.writeString(folder.resolve(RunIdentity.CONFIG), configYaml);
    ObjectNode node = JSON.createObjectNode();
    node.put("step", step);
    node.put("rng", "philox4x32-10");
    identity.write(node);
    node.put("loss_scale", lossScale.factor());
    node.put("loss_scale_good_steps", lossScale.goodSteps());
    progress.write(node);
    byte[] json = JSON.writeValueAsBytes(node);
    AtomicFiles.write(folder.resolve(STATE), out -> out.write(json));
    Checksums.write(folder);
  }

  /**
   * Reads what {@code folder} says, all but the tensors.
   *
   * @throws DamagedException if it is not as it was written
   */
  static Checkpoint read(Path folder) {
    JsonNode node = readState(folder);
    boolean older = isOlder(folder, node);
    Optional<String> problem = older ? unreadable(folder) : Checksums.problem(folder);
    if (problem.isPresent()) {
      throw new DamagedException(folder, problem.get());
    }
    if (older) {
      log.info("{} was written before checksums; it is not checked.", folder);
    }
    if (node.path("step").asInt(-1) != step(folder)) {
      throw new DamagedException(folder, STATE + " says step " + node.path("step"));
    }
    double unsaid = older ? LossScale.State.START.factor() : Double.NaN;
    float factor = (float) node.path("loss_scale").asDouble(unsaid);
    if (!Float.isFinite(factor) || factor < 1) {
      throw new DamagedException(folder, STATE + " says loss_scale " + node.path("loss_scale"));
    }
    Progress progress = Progress.read(node);
    if (!(progress.rateFactor() > 0 && progress.rateFactor() <= 1)) {
      throw new DamagedException(folder, STATE + " says lr_factor " + progress.rateFactor());
    }
    return new Checkpoint(
        node.path("step").asInt(),
        RunIdentity.read(node),
        new LossScale.State(factor, node.path("loss_scale_good_steps").asInt()),
        progress);
  }

  private static JsonNode readState(Path folder) {
    try {
      return JSON.readTree(Files.readAllBytes(folder.resolve(STATE)));
    } catch (IOException e) {
      String unread = STATE + " cannot be read: " + UserException.reason(e);
      throw new DamagedException(
          folder, Checksums.exist(folder) ? Checksums.problem(folder).orElse(unread) : unread);
    }
  }

  /** Whether a version wrote it that knew no checksums: such states lack the base's hash too. */
  private static boolean isOlder(Path folder, JsonNode state) {
    return !Checksums.exist(folder) && state.has("step") && !RunIdentity.isComplete(state);
  }

  /** What keeps the tensors from being read, where no checksum can tell. */
  private static Optional<String> unreadable(Path folder) {
    try {
      Safetensors.read(folder.resolve(OPTIMIZER));
      return Optional.empty();
    } catch (UserException e) {
      return Optional.of(e.getMessage());
    }
  }

  /**
   * Brings the tensors of {@code folder} into {@code state}.
   *
   * @param mine of the run that goes on
   */
  static void restore(Path folder, AdapterState state, RunIdentity mine) {
    Map<String, TensorEntry> tensors = Safetensors.read(folder.resolve(OPTIMIZER)).tensors();
    List<Slot> kept = state.kept();
    Set<String> names = kept.stream().map(Slot::name).collect(Collectors.toSet());
    if (!names.equals(tensors.keySet())
        || !kept.stream().allMatch(slot -> fits(slot, tensors.get(slot.name())))) {
      throw mine.unfit(folder);
    }
    kept.forEach(slot -> state.restore(slot, tensors.get(slot.name())));
  }

  private static boolean fits(Slot slot, TensorEntry entry) {
    return entry.type().equals(slot.dtype().name())
        && entry.bytes() == slot.dtype().bytes(slot.size());
  }
}
