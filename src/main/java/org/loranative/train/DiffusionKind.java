package org.loranative.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.Buckets;
import org.loranative.device.Device;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.LowRank;
import org.loranative.model.Placement;
import org.loranative.model.Weights;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Painter;
import org.loranative.text.ClipTokenizer;

/** Fine-tuning a diffusion model. */
final class DiffusionKind implements Kind<DiffusionTask.Batch> {
  private static final int PREVIEW_STEPS = 20;
  private static final double PREVIEW_GUIDANCE = 7;

  /** Names that lora_targets may use for many layers of the UNet at once. */
  private static final Map<String, Predicate<String>> GROUPS =
      Map.of(
          "unet-attention",
          path -> path.matches(".*\\.attn[12]\\.(to_q|to_k|to_v|to_out\\.0)"),
          "unet-ff",
          path -> path.contains(".ff.net."),
          "unet-proj",
          path -> path.matches(".*\\.(proj_in|proj_out)"));

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
    base = DiffusionBase.open(Path.of(config.baseModel()));
    tokenizers = base.tokenizers();
    boolean opened = false;
    try {
      adapters = choose(config, base);
      EncodedImages data = EncodedImages.of(config, base, tokenizers, device, compute);
      task = new DiffusionTask(base, adapters, compute, config, data);
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  private static Adapters choose(TrainConfig config, DiffusionBase base) {
    List<Adapters.Target> unet =
        DiffusionGraph.targets(base).stream().filter(t -> t.path().startsWith("unet.")).toList();
    List<String> chosen = new ArrayList<>();
    for (String target : config.loraTargets()) {
      Predicate<String> group = GROUPS.get(target);
      if (group == null) {
        if (target.startsWith("unet-") || target.startsWith("text-") || target.equals("kohya")) {
          throw new UserException(
              "lora_targets: "
                  + target
                  + " is not supported yet; there are unet-attention, unet-ff, unet-proj and names"
                  + " of layers such as to_q.");
        }
        chosen.add(target);
      } else {
        unet.stream().map(Adapters.Target::path).filter(group).forEach(chosen::add);
      }
    }
    return new Adapters(
        new LoraSpec(
            config.loraRank(),
            config.loraAlpha(),
            config.loraDropout(),
            chosen,
            config.useRslora()),
        unet);
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
  public Map<String, float[]> constants() {
    return Map.of();
  }

  /** Any format; its scale is brought to the run's, so its effect stays. */
  @Override
  public float[] readAdapter(Path path) {
    Map<String, LowRank> modules = LoraFiles.read(path, DiffusionGraph.targets(base));
    float[] params = new float[Math.toIntExact(adapters.floats())];
    for (Adapters.Module m : adapters.modules()) {
      LowRank one = modules.remove(m.path());
      if (one == null || one.rank() != m.rank()) {
        throw new UserException(
            String.format(
                "init_adapter %s has %s for %s; lora_rank %d and the same lora_targets are needed.",
                path, one == null ? "nothing" : "rank " + one.rank(), m.path(), m.rank()));
      }
      System.arraycopy(one.a(), 0, params, (int) m.aOffset(), one.a().length);
      float factor = (float) (one.scale() / adapters.spec().scale());
      for (int i = 0; i < one.b().length; i++) {
        params[(int) m.bOffset() + i] = one.b()[i] * factor;
      }
    }
    if (!modules.isEmpty()) {
      throw new UserException(
          "init_adapter "
              + path
              + " adapts layers that lora_targets does not name, such as "
              + modules.keySet().iterator().next()
              + ".");
    }
    return params;
  }

  private Buckets.Size previewSize() {
    return new Buckets(config.resolution(), config.resolution()).nearest(1, 1);
  }

  @Override
  public List<Graph> previewGraphs() {
    return config.sampleSteps() > 0 ? Painter.graphs(base, adapters, compute) : List.of();
  }

  @Override
  public long previewBytes() {
    Buckets.Size size = previewSize();
    return config.sampleSteps() > 0
        ? Painter.bytes(device, base, adapters, compute, size.width(), size.height())
        : 0;
  }

  @Override
  public Optional<Previews> previews(Placement placement) {
    if (config.sampleSteps() == 0) {
      return Optional.empty();
    }
    Painter painter = new Painter(device, base, adapters, compute, placement, tokenizers);
    return Optional.of(
        new Previews() {
          @Override
          public void write(int step, Tracker tracker) throws IOException {
            for (int i = 0; i < config.samplePrompts().size(); i++) {
              String prompt = config.samplePrompts().get(i);
              tracker.image(step, i + 1, prompt, painter.paint(order(prompt), Optional.empty()));
            }
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
