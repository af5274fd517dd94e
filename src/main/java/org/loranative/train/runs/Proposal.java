package org.loranative.train.runs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigReader;
import org.loranative.config.Key;
import org.loranative.config.Preset;
import org.loranative.config.Preset.Setting;
import org.loranative.config.Subject;
import org.loranative.config.TrainConfig;
import org.loranative.io.AtomicFolders;
import org.loranative.track.Console;
import org.loranative.track.RunLog;
import org.loranative.train.StopSignal;
import org.loranative.train.TooLargeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A configuration for a base and data that are there: presets, changed until the planner says that
 * the run fits.
 */
public final class Proposal {
  private static final Logger log = LoggerFactory.getLogger(Proposal.class);
  private static final String SAMPLE_STEPS = "sample_steps";
  private static final String SAMPLE_PROMPTS = "sample_prompts";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What YAML takes for text, and for nothing else, without quotes. */
  private static final Pattern PLAIN =
      Pattern.compile(
          "(?!(?i:true|false|yes|no|on|off|null|y|n)$)([.]{0,2}/)?[A-Za-z_][A-Za-z0-9_./-]*");

  /** Pictures of each prompt over a run. They take a tenth of its time. */
  private static final int PREVIEWS = 8;

  private static final int PROBE_STEPS = 10;
  private static final int PROBE_WARM_UP = 3;

  private final Subject subject;
  private final Map<String, Setting> fixed;
  private final Map<String, Setting> settings;
  private int steps;
  private String memory = "";

  /**
   * @param fixed what the user said: base, data, output, machine
   * @param settings that may be changed
   */
  private Proposal(Subject subject, Map<String, Setting> fixed, Map<String, Setting> settings) {
    this.subject = subject;
    this.fixed = fixed;
    this.settings = settings;
  }

  /**
   * Finds settings that fit.
   *
   * @param count images or records that there are
   * @param fixed the keys that the user named
   * @param prompts that previews may be drawn of
   * @throws TooLargeException if nothing fits
   */
  public static Proposal of(
      Subject subject,
      int count,
      Map<String, Setting> fixed,
      List<String> prompts,
      List<Preset> presets) {
    Map<String, Setting> settings = Preset.settings(subject, count, presets);
    fixed.keySet().forEach(settings::remove);
    Proposal proposal = new Proposal(subject, fixed, settings);
    if (!prompts.isEmpty()) {
      proposal.set(SAMPLE_STEPS, 1, "pictures in between, in samples/contact-sheet.png");
      proposal.set(SAMPLE_PROMPTS, prompts, "");
    }
    while (true) {
      try (TrainRun run = new TrainRun(proposal.config(List.of()))) {
        proposal.steps = run.steps();
        proposal.memory = run.memory();
        settings.computeIfPresent(
            SAMPLE_STEPS, (k, s) -> new Setting(Math.max(1, run.steps() / PREVIEWS), s.why()));
        return proposal;
      } catch (TooLargeException e) {
        if (!proposal.shrink()) {
          throw e;
        }
      } catch (NothingHeldOutException e) {
        if (settings.remove("early_stop") == null) {
          throw e;
        }
      }
    }
  }

  /** Makes the run smaller; returns false where it cannot be. */
  private boolean shrink() {
    int batch = number("batch_size", 1);
    if (batch > 1) {
      set("batch_size", batch / 2, "as many as fit");
      int accumulation = number("gradient_accumulation", 1);
      set("gradient_accumulation", 2 * accumulation, "so that a step still sees the same number");
      return true;
    }
    if (settings.remove(SAMPLE_STEPS) != null) {
      settings.remove(SAMPLE_PROMPTS);
      return true;
    }
    if (!subject.isImages() && !"nf4".equals(value("quantize"))) {
      set("quantize", "nf4", "16 bits do not fit: frozen matrices in 4 (QLoRA)");
      return true;
    }
    String size = subject.isImages() ? "resolution" : "max_length";
    int side = number(size, 0);
    if (settings.containsKey(size) && side >= 256) {
      set(size, side / 2, "more does not fit");
      return true;
    }
    if (number("lora_rank", 0) > 4 && settings.containsKey("lora_rank")) {
      set("lora_rank", 4, "more does not fit");
      set("lora_alpha", 4, "");
      return true;
    }
    return false;
  }

  private Object value(String key) {
    Setting s = fixed.getOrDefault(key, settings.get(key));
    return s == null ? null : s.value();
  }

  private int number(String key, int otherwise) {
    return value(key) instanceof Number n ? n.intValue() : otherwise;
  }

  private void set(String key, Object value, String why) {
    settings.put(key, new Setting(value, why));
  }

  private TrainConfig config(List<String> more) {
    List<String> all = new ArrayList<>();
    fixed.forEach((k, s) -> all.add(k + "=" + yaml(s.value())));
    settings.forEach((k, s) -> all.add(k + "=" + yaml(s.value())));
    all.addAll(more);
    return ConfigReader.read(Optional.empty(), all);
  }

  /** Steps of the run. */
  public int steps() {
    return steps;
  }

  /** What the planner says it takes. */
  public String memory() {
    return memory;
  }

  /** Seconds of a step, measured over ten. */
  public double secondsPerStep() throws IOException {
    Path folder = Files.createTempDirectory("lora-native-init");
    PrintStream silent = new PrintStream(OutputStream.nullOutputStream());
    List<String> trial =
        List.of(
            "output_dir=" + yaml(folder.resolve("run").toString()),
            "max_steps=" + PROBE_STEPS,
            "save_steps=0",
            "eval_steps=1000000",
            "early_stop=0",
            "sample_steps=0");
    try (AutoCloseable quiet = RunLog.quiet();
        TrainRun run = new TrainRun(config(trial))) {
      run.train(false, new Console(silent, false), new StopSignal());
      List<String> lines = Files.readAllLines(folder.resolve("run/logs/metrics.jsonl"));
      double[] millis =
          lines.stream()
              .skip(PROBE_WARM_UP)
              .mapToDouble(
                  l -> Double.parseDouble(l.replaceAll(".*\"step_ms\":([0-9.E]+).*", "$1")))
              .sorted()
              .toArray();
      log.debug("trial steps: {} ms", Arrays.toString(millis));
      return millis[millis.length / 2] / 1e3;
    } catch (RuntimeException | IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      AtomicFolders.delete(folder);
    }
  }

  /** The file, with the reason for each line. */
  public String yaml(List<String> head) {
    StringBuilder text = new StringBuilder();
    head.forEach(line -> text.append("# ").append(line).append('\n'));
    Map<String, Setting> all = new LinkedHashMap<>(fixed);
    all.putAll(settings);
    all.forEach(
        (key, s) -> {
          String line = key + ": " + yaml(s.value());
          String why =
              s.why().isEmpty()
                  ? Catalogue.find(key).map(Key::plainSentence).orElseThrow()
                  : s.why();
          text.append(String.format("%-44s # %s", line, why));
          text.append('\n');
        });
    return text.toString();
  }

  private static String yaml(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(Proposal::yaml).collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> e.getKey() + ": " + yaml(e.getValue()))
          .sorted(Comparator.reverseOrder()) // the target first
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof Double number) {
      return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    } else if (value instanceof String text && !PLAIN.matcher(text).matches()) {
      return quoted(text);
    }
    return String.valueOf(value);
  }

  /** JSON's way is one of YAML's. */
  private static String quoted(String text) {
    try {
      return JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
