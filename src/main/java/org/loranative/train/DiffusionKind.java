package org.loranative.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.InitAdapter;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.LoraSpec;
import org.loranative.model.Placement;
import org.loranative.model.Quantize;
import org.loranative.model.Weights;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Painter;
import org.loranative.text.ClipTokenizer;

/** Fine-tuning a diffusion model. */
final class DiffusionKind implements Kind<DiffusionTask.Batch> {
  private static final int PREVIEW_STEPS = 20;
  private static final double PREVIEW_GUIDANCE = 7;

  private static final String UNET = "unet\\.";
  private static final String TRANSFORMER = UNET + ".*attentions\\.\\d+\\.";
  private static final String TEXT = "text_encoder(_2)?\\.encoder\\..*";

  /** Names that lora_targets may use for many layers at once: the paths they stand for. */
  private static final Map<String, String> GROUPS =
      Map.of(
          "unet-attention",
          TRANSFORMER + ".*attn[12]\\.(to_q|to_k|to_v|to_out\\.0)",
          "unet-ff",
          TRANSFORMER + ".*\\.ff\\.net\\..*",
          "unet-proj",
          TRANSFORMER + "(proj_in|proj_out)",
          "unet-conv",
          UNET + ".*\\.(conv1|conv2|conv_shortcut|(down|up)samplers\\.0\\.conv)",
          "text-encoder",
          TEXT,
          // What kohya's scripts adapt: every linear layer of transformers and text encoders.
          "kohya",
          TRANSFORMER + ".*|" + TEXT,
          LoraSpec.ALL_LINEAR,
          TRANSFORMER + ".*");

  private final TrainConfig config;
  private final Device device;
  private final DType compute;
  private final DiffusionBase base;
  private final List<ClipTokenizer> tokenizers;
  private final Adapters adapters;
  private final DiffusionTask task;

  DiffusionKind(TrainConfig config, Device device, DType compute) {
    this.config = config;
    this.device = device;
    this.compute = compute;
    base = base(config);
    base.quantize(Quantize.named(config.quantize()));
    tokenizers = base.tokenizers();
    boolean opened = false;
    try {
      adapters = choose(config, base);
      EncodedImages data = new EncodedImages(config, base, tokenizers, device, compute);
      task = new DiffusionTask(base, tokenizers, adapters, compute, config, data);
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /** The base that a configuration names. */
  static DiffusionBase base(TrainConfig config) {
    return DiffusionBase.open(
        Path.of(config.baseModel()),
        new DiffusionBase.Options(
            TrainConfig.path(config.tokenizerPath()), Prediction.named(config.predictionType())));
  }

  private static Adapters choose(TrainConfig config, DiffusionBase base) {
    List<Adapters.Target> targets = DiffusionGraph.targets(base);
    return new Adapters(LoraSpecs.of(config, name -> expand(name, targets)), targets);
  }

  private static List<String> expand(String name, List<Adapters.Target> targets) {
    String pattern = GROUPS.get(name);
    if (pattern != null) {
      return targets.stream().map(Adapters.Target::path).filter(p -> p.matches(pattern)).toList();
    }
    if (name.startsWith("unet-") || name.startsWith("text-")) {
      throw new UserException(
          "lora_targets: there is no group "
              + name
              + "; there are "
              + String.join(", ", new TreeSet<>(GROUPS.keySet()))
              + " and names of layers such as to_q.");
    }
    return List.of(name);
  }

  @Override
  public Task<DiffusionTask.Batch> task() {
    return task;
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
    return task.encodingBytes();
  }

  @Override
  public long preparedBytes() {
    return task.encodedBytes();
  }

  @Override
  public void prepare() {
    task.encode();
  }

  @Override
  public Map<String, float[]> constants() {
    return Map.of();
  }

  /**
   * Any format and any rank up to the run's: further rows of A start as in a new run and their
   * columns of B at 0. B takes up the difference of the scales, so the effect stays.
   */
  @Override
  public float[] readAdapter(Path path) {
    return InitAdapter.of(
        path, LoraFiles.read(path, DiffusionGraph.targets(base)), adapters, config.seed());
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
        .map(prompt -> Painter.graphs(base, adapters, compute, tokenizers, order(prompt)))
        .flatMap(List::stream)
        .toList();
  }

  @Override
  public long previewBytes() {
    return 0; // drawing holds nothing between steps
  }

  @Override
  public String trial(Path adapter) {
    return String.format(
        "lora-native sample --base %s --adapter %s --prompt \"…\" --out picture.png",
        config.baseModel(), adapter);
  }

  @Override
  public Optional<Previews> previews(Placement placement, Memory arena) {
    if (config.sampleSteps() == 0) {
      return Optional.empty();
    }
    Painter painter =
        new Painter(device, base, adapters, compute, placement, tokenizers, Optional.of(arena));
    return Optional.of(
        new Previews() {
          @Override
          public void write(int step, Tracker tracker) throws IOException {
            for (int i = 0; i < config.samplePrompts().size(); i++) {
              String prompt = config.samplePrompts().get(i);
              tracker.image(step, i + 1, prompt, painter.paint(order(prompt), Optional.empty()));
            }
            tracker.contactSheet();
          }

          @Override
          public void close() {}
        });
  }

  private Painter.Order order(String prompt) {
    Buckets.Size size = previewSize();
    return new Painter.Order(
        prompt,
        "",
        size.width(),
        size.height(),
        Sampler.DPMPP_2M,
        PREVIEW_STEPS,
        PREVIEW_GUIDANCE,
        config.seed(),
        0);
  }

  @Override
  public void close() {
    tokenizers.forEach(ClipTokenizer::close);
  }
}
