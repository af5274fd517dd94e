package org.loranative.train.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.loranative.ShellWord;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.TrainingNoise;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.Adapters;
import org.loranative.lora.InitAdapter;
import org.loranative.lora.LoraFiles;
import org.loranative.model.Placement;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Guidance;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.train.LoraSpecs;
import org.loranative.train.Previews;
import org.loranative.train.Task;
import org.loranative.train.Tracker;
import org.loranative.train.Training;

/** Fine-tuning a diffusion model. */
public final class DiffusionTraining implements Training<ImageBatch> {
  private final TrainConfig config;
  private final Device device;
  private final DType compute;
  private final DiffusionBase base;
  private final TextReader reader;
  private final Adapters adapters;
  private final TrainingNoise noise;
  private Optional<DiffusionTask> task = Optional.empty();

  public DiffusionTraining(TrainConfig config, Device device, DType compute) {
    this.config = config;
    this.device = device;
    this.compute = compute;
    base = base(config);
    base.quantize(Quantize.named(config.quantize()));
    reader = base.family().text().reader();
    boolean opened = false;
    try {
      adapters = choose(config, base);
      noise = DiffusionTask.noise(config, base.noise()); // before any data is read
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /** The base that a configuration names. */
  public static DiffusionBase base(TrainConfig config) {
    DiffusionBase base =
        DiffusionFamilies.open(
            Path.of(config.baseModel()),
            new BaseOptions(
                TrainConfig.path(config.tokenizerPath()),
                Prediction.named(config.predictionType()),
                config.textEncoderPath().stream().map(Path::of).toList(),
                TrainConfig.path(config.vaePath())));
    if (config.zeroSnr()) {
      base.zeroTerminal("zero_snr");
    }
    base.requireClipSkip(config.clipSkip(), "clip_skip");
    if (config.guidanceEmbed() != 1 && base.family().guidance() != Guidance.TOLD) {
      throw new UserException(
          "guidance_embed has no meaning for "
              + base.path()
              + ", which is told no guidance (FLUX.1 dev is). Remove it.");
    }
    return base;
  }

  private static Adapters choose(TrainConfig config, DiffusionBase base) {
    return LoraSpecs.adapters(
        config,
        DiffusionGraph.targets(base),
        base.family().blocks(),
        (name, layers) -> expand(name, base.family().groups(), layers));
  }

  private static List<String> expand(
      String name, Map<String, String> groups, List<Adapters.Target> targets) {
    String pattern = groups.get(name);
    if (pattern != null) {
      return targets.stream().map(Adapters.Target::path).filter(p -> p.matches(pattern)).toList();
    }
    if (name.contains("-")) { // which no layer's name does
      throw new UserException(
          "lora_targets: there is no group "
              + name
              + "; there are "
              + String.join(", ", new TreeSet<>(groups.keySet()))
              + " and names of layers such as to_q.");
    }
    return List.of(name);
  }

  @Override
  public Task<ImageBatch> task() {
    return opened();
  }

  private DiffusionTask opened() {
    if (task.isEmpty()) {
      EncodedImages data = new EncodedImages(config, base, reader, device, compute);
      task = Optional.of(new DiffusionTask(base, reader, adapters, compute, config, noise, data));
    }
    return task.get();
  }

  @Override
  public Adapters adapters() {
    return adapters;
  }

  @Override
  public Weights weights() {
    return base.weights();
  }

  @Override
  public long preparationBytes() {
    return opened().encodingBytes();
  }

  @Override
  public long preparedBytes() {
    return opened().encodedBytes();
  }

  @Override
  public void prepare() {
    opened().encode();
  }

  @Override
  public Map<String, float[]> constants() {
    return base.family().text().constants();
  }

  /**
   * Any format and any rank up to the run's: further rows of A start as in a new run and their
   * columns of B at 0. B takes up the difference of the scales, so the effect stays.
   */
  @Override
  public Numbers readAdapter(Path path) {
    return InitAdapter.of(path, LoraFiles.read(path, base.layers()), adapters, config.seed());
  }

  private Buckets.Size previewSize() {
    return new Buckets(config.resolution(), config.resolution()).nearest(1, 1);
  }

  @Override
  public List<Graph> previewGraphs() {
    if (config.sampleSteps() == 0) {
      return List.of();
    }
    return config.samplePrompts().stream()
        .map(prompt -> Painter.graphs(base, adapters, compute, reader, order(prompt)))
        .flatMap(List::stream)
        .toList();
  }

  @Override
  public long previewBytes() {
    return 0; // drawing holds nothing between steps
  }

  @Override
  public String trial(Path adapter) {
    StringBuilder options = new StringBuilder();
    if (!config.predictionType().equals("auto")) {
      options.append(" --prediction-type ").append(config.predictionType());
    }
    named(options, "--tokenizer", config.tokenizerPath());
    config.textEncoderPath().forEach(path -> named(options, "--text-encoder-path", path));
    named(options, "--vae-path", config.vaePath());
    options.append(config.zeroSnr() ? " --zero-snr" : "");
    options.append(config.clipSkip() > 0 ? " --clip-skip " + config.clipSkip() : "");
    return String.format(
        "lora-native sample --base %s --adapter %s%s --prompt \"…\" --out picture.png",
        ShellWord.of(config.baseModel()), ShellWord.of(adapter), options);
  }

  private static void named(StringBuilder options, String option, String path) {
    if (!path.isEmpty()) {
      options.append(' ').append(option).append(' ').append(ShellWord.of(path));
    }
  }

  @Override
  public Optional<Previews> previews(Placement placement, Memory arena) {
    if (config.sampleSteps() == 0) {
      return Optional.empty();
    }
    Painter painter =
        new Painter(device, base, adapters, compute, placement, reader, Optional.of(arena));
    return Optional.of(
        new Previews() {
          @Override
          public void write(int step, Tracker tracker) throws IOException {
            for (int i = 0; i < config.samplePrompts().size(); i++) {
              String prompt = config.samplePrompts().get(i);
              tracker.preview(step, i + 1, prompt, painter.paint(order(prompt), Optional.empty()));
            }
            tracker.contactSheet();
          }

          @Override
          public void close() {}
        });
  }

  private Painter.Order order(String prompt) {
    Buckets.Size size = previewSize();
    DiffusionFamily.Habit habit = base.family().previews();
    return new Painter.Order(
        prompt,
        "",
        size.width(),
        size.height(),
        base.sampler(habit.sampler(), "the previews' sampler"),
        habit.steps(),
        habit.guidance(),
        config.seed(),
        config.clipSkip());
  }

  @Override
  public void close() {
    reader.close();
  }
}
