package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.Mark;
import org.loranative.config.TrainConfig;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Weights;

/**
 * What must be the same for a run to go on from a checkpoint. A hash or name is "" where an older
 * version wrote none.
 *
 * @param data hash of the training data
 * @param base hash of the base model
 * @param layers hash of the adapted layers, their shapes and ranks
 * @param optimizer its name: two may keep slots of the same names and sizes
 * @param settings those that decide what a checkpoint holds, for messages; none of one that is read
 */
public record RunIdentity(
    long seed,
    String data,
    String base,
    String layers,
    String optimizer,
    Map<String, Object> settings) {
  /** The run's settings, in a checkpoint's folder. */
  static final String CONFIG = "config.yaml";

  private static final String BASE = "base_sha256";

  public static RunIdentity of(TrainConfig config, Task<?> task, Weights base, Adapters adapters) {
    return new RunIdentity(
        config.seed(),
        task.fingerprint(),
        base.fingerprint(),
        layers(adapters),
        config.optimizer(),
        layout(config));
  }

  private static Map<String, Object> layout(TrainConfig config) {
    Map<String, Object> settings = ConfigReader.toMap(config);
    settings.keySet().removeIf(key -> !Catalogue.isMarked(key, Mark.LAYOUT));
    return settings;
  }

  private static String layers(Adapters adapters) {
    StringBuilder text = new StringBuilder();
    for (Adapters.Module m : adapters.modules()) {
      text.append(m.path()).append(' ').append(m.in()).append(' ').append(m.out());
      text.append(' ').append(m.rank());
      AdapterMethod method = m.spec().method();
      if (!method.equals(AdapterMethods.DEFAULT)) { // of which older versions write no name
        text.append(' ').append(method.name());
        m.parts().forEach(p -> text.append(' ').append(p.part().shape()));
      }
      text.append('\n');
    }
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of()
          .formatHex(digest.digest(text.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  void write(ObjectNode node) {
    node.put("seed", seed);
    node.put("data_sha256", data);
    node.put(BASE, base);
    node.put("layers_sha256", layers);
    node.put("optimizer", optimizer);
  }

  /** Whether a checkpoint's state has all of it. */
  static boolean isComplete(JsonNode node) {
    return node.has(BASE);
  }

  static RunIdentity read(JsonNode node) {
    return new RunIdentity(
        node.path("seed").asLong(),
        node.path("data_sha256").asText(),
        node.path(BASE).asText(),
        node.path("layers_sha256").asText(),
        node.path("optimizer").asText(),
        Map.of());
  }

  /**
   * Checks that a run with this identity may go on from {@code checkpoint}.
   *
   * @param written the identity that the checkpoint has
   */
  void requireSame(RunIdentity written, Path checkpoint) {
    if (differs(written.layers(), layers)) {
      throw unfit(checkpoint);
    }
    if (differs(written.optimizer(), optimizer)) {
      throw new UserException(
          String.format(
              "%1$s was written with optimizer %2$s, whose state %3$s cannot go on from. Set"
                  + " optimizer: %2$s, or start a new output_dir with init_adapter: %1$s to go on"
                  + " from its weights.",
              checkpoint, written.optimizer(), optimizer));
    }
    if (differs(written.base(), base)) {
      throw new UserException(
          checkpoint
              + " was written with another base_model: its tensors are not those of this one. Name"
              + " the base that the run began with, or start a new output_dir.");
    }
    if (differs(written.data(), data)) {
      throw new UserException(
          checkpoint
              + " was written with other training data, chat_template, template_kwargs or"
              + " add_tokens, so its position in them means nothing. Start a new output_dir with"
              + " init_adapter: "
              + checkpoint
              + " to go on from its weights.");
    }
    if (written.seed() != seed) {
      throw new UserException(
          "seed is "
              + seed
              + ", but "
              + checkpoint
              + " was written with "
              + written.seed()
              + "; a run is resumed with its own seed.");
    }
  }

  /** It was written with settings that a resumed run must share: says which were others. */
  UserException unfit(Path checkpoint) {
    Map<String, Object> were = settingsOf(checkpoint);
    String changed =
        settings.entrySet().stream()
            .filter(s -> were.containsKey(s.getKey()))
            .filter(s -> !were.get(s.getKey()).equals(s.getValue()))
            .map(s -> s.getKey() + " was " + were.get(s.getKey()) + " and is " + s.getValue())
            .collect(Collectors.joining(", "));
    return new UserException(
        String.format(
            "%s does not fit this configuration: %s.",
            checkpoint,
            changed.isEmpty()
                ? Catalogue.sentence(Mark.LAYOUT) + " must be those of the run that wrote it"
                : changed + ". Set it as it was, or start a new output_dir"));
  }

  private static Map<String, Object> settingsOf(Path checkpoint) {
    Path file = checkpoint.resolve(CONFIG);
    try {
      return Files.exists(file)
          ? layout(ConfigReader.read(Optional.of(file), List.of()))
          : Map.of();
    } catch (UserException e) {
      return Map.of(); // of another version
    }
  }

  private static boolean differs(String written, String mine) {
    return !written.isEmpty() && !written.equals(mine);
  }
}
