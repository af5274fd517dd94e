package org.loranative.cli;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.export.AdapterSource;
import org.loranative.image.Picture;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.train.diffusion.Pictures;
import org.loranative.train.machine.Machine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lora-native demo sd}: a style LoRA on the small diffusion model of this project. */
@Command(
    name = "sd",
    description = "Train a style LoRA on a small diffusion model; see images before and after.",
    mixinStandardHelpOptions = true)
final class DemoSdCommand implements Callable<Integer> {
  private static final List<String> PROMPTS =
      List.of("grinning face", "angry face", "smiling face with sunglasses", "cat face");
  private static final int SIDE = 64;
  private static final int SHOWN = 192;

  @Option(
      names = "--base",
      paramLabel = "DIR",
      defaultValue = "models/emoji-sd",
      description = "The base model (default ${DEFAULT-VALUE}).")
  private Path base;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "models/demo/fluent-style",
      description = "Captioned images of the style (default ${DEFAULT-VALUE}).")
  private Path data;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "output/demo-sd",
      description = "Where the results go (default ${DEFAULT-VALUE}; -2, -3 … if it is taken).")
  private Path output;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "447",
      description = "Training steps (default ${DEFAULT-VALUE}: some three minutes on two cores).")
  private int steps;

  @Override
  public Integer call() throws IOException {
    for (Path needed : List.of(base, data)) {
      if (!Files.isDirectory(needed)) {
        throw new UserException(
            needed
                + " is not there; run the demo in the project's folder, or name --base, --data.");
      }
    }
    Path folder = DemoCommand.unused(output);
    System.out.printf(
        "This demo trains a LoRA on 120 glossy emoji (%d steps) and draws before and after.%n",
        steps);
    List<Picture> before = draw(List.of());
    TrainConfig config =
        ConfigReader.read(
            Optional.empty(),
            List.of(
                "task_type=sd",
                "base_model=" + base,
                "metadata_path=" + data,
                "output_dir=" + folder,
                "resolution=" + SIDE,
                "batch_size=12",
                "max_steps=" + steps,
                "lora_rank=16",
                "lora_targets=[unet-attention,unet-ff]",
                "learning_rate=0.001",
                "save_steps=150"));
    Optional<Path> adapter = DemoCommand.train(config);
    if (adapter.isEmpty()) {
      return 0;
    }
    List<Picture> after = draw(List.of(new AdapterSource(adapter.get(), 1)));
    Path sheet = folder.resolve("before-after.png");
    ImageIO.write(sheet(before, after), "png", sheet.toFile());
    System.out.printf(
        "%nUpper row before, lower row after (%s):%n  %s%n", String.join(", ", PROMPTS), sheet);
    return 0;
  }

  private List<Picture> draw(List<AdapterSource> adapters) {
    List<Picture> drawn = new ArrayList<>();
    DiffusionBase model = DiffusionFamilies.open(base);
    try (Pictures pictures = new Pictures(model, adapters, Machine.of("auto", "f32"))) {
      for (String prompt : PROMPTS) {
        drawn.add(
            pictures.draw(
                new Painter.Order(
                    prompt, "", SIDE, SIDE, model.sampler("ddim", "the sampler"), 25, 4, 1, 0),
                Optional.empty()));
      }
    }
    return drawn;
  }

  private static BufferedImage sheet(List<Picture> before, List<Picture> after) {
    BufferedImage sheet =
        new BufferedImage(SHOWN * PROMPTS.size(), 2 * SHOWN, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    for (int i = 0; i < PROMPTS.size(); i++) {
      g.drawImage(before.get(i).toBufferedImage(), i * SHOWN, 0, SHOWN, SHOWN, null);
      g.drawImage(after.get(i).toBufferedImage(), i * SHOWN, SHOWN, SHOWN, SHOWN, null);
    }
    g.dispose();
    return sheet;
  }
}
