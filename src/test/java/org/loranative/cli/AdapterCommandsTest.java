package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.io.Safetensors;
import org.loranative.testing.Golden;
import org.loranative.testing.TinyAdapter;
import org.loranative.testing.TinyModel;

/** combine, resize and extract, as they are typed. */
class AdapterCommandsTest {
  private static final String BASE = "models/emoji-sd";
  private static final Path PEERS = Golden.FOLDER.resolve("lora");

  @TempDir Path folder;

  private static void runs(String says, String... arguments) {
    Typed outcome = Typed.run(arguments);
    assertThat(outcome.output()).contains(says);
    assertThat(outcome.code()).as(outcome.output()).isZero();
  }

  private static void refuses(String says, String... arguments) {
    Typed outcome = Typed.run(arguments);
    assertThat(outcome.output()).contains(says);
    assertThat(outcome.code()).as(outcome.output()).isEqualTo(2);
  }

  private String out(String name) {
    return folder.resolve(name).toString();
  }

  /** One file in, the other way round out again: kohya's, diffusers', a folder of PEFT's. */
  @Test
  void combinesResizesAndExtracts() {
    String kohya = PEERS.resolve("kohya.safetensors").toString();
    String peft = PEERS.resolve("unet").toString();
    String both = out("both.safetensors");
    runs(
        both,
        "combine",
        "--base",
        BASE,
        "--adapter",
        kohya,
        "--adapter",
        peft,
        "--scale",
        "0.8",
        "--scale",
        "0.5",
        "--out",
        both);
    String small = out("small.safetensors");
    runs(
        "% of the Frobenius norm is kept; least in ",
        "resize", both, "--base", BASE, "--rank", "2", "--out", small);
    assertThat(Safetensors.read(Path.of(small)).texts()).containsEntry("ss_network_dim", "2");
    String merged = out("merged");
    runs(merged, "merge", "--base", BASE, "--adapter", small, "--out", merged);
    String extracted = out("extracted.safetensors");
    runs(
        "layers do not differ",
        "extract",
        "--base",
        BASE,
        "--tuned",
        merged,
        "--rank",
        "2",
        "--text-encoder",
        "--to",
        "diffusers",
        "--out",
        extracted);
    runs(
        "The same",
        "verify",
        "--base",
        BASE,
        "--adapter",
        small,
        "--against",
        extracted,
        "--steps",
        "3",
        "--prompt",
        "grinning face",
        "--device",
        "cpu",
        "--compute-dtype",
        "f32");
  }

  @Test
  void resizesAdaptersOfLanguageModels() throws Exception {
    Path base = TinyModel.write(folder.resolve("base"));
    Path adapter = TinyAdapter.train(base, folder.resolve("a"));
    String small = out("small");
    runs(
        "% of the Frobenius norm is kept",
        "resize",
        adapter.toString(),
        "--base",
        base.toString(),
        "--sv-fro",
        "0.999",
        "--out",
        small);
    assertThat(folder.resolve("small/adapter_config.json")).exists();
    runs(
        "The same",
        "verify",
        "--base",
        base.toString(),
        "--adapter",
        adapter.toString(),
        "--against",
        small,
        "--device",
        "cpu",
        "--compute-dtype",
        "f32");
  }

  /** A merged GGUF comes with what ollama must know. */
  @Test
  void mergesForOllama() throws Exception {
    Path base = TinyModel.write(folder.resolve("base"));
    Path adapter = TinyAdapter.train(base, folder.resolve("a"));
    String merged = out("merged.gguf");
    String modelfile = out("Modelfile");
    runs(
        modelfile,
        "merge",
        "--base",
        base.toString(),
        "--adapter",
        adapter.toString(),
        "--out",
        merged,
        "--modelfile",
        modelfile);
    assertThat(Files.readString(Path.of(modelfile)))
        .startsWith("FROM " + merged)
        .doesNotContain("ADAPTER")
        .contains("{{ .Prompt }}<|im_end|>", "PARAMETER stop \"<|im_end|>\"");
    refuses(
        "--modelfile needs an --out that ends in .gguf",
        "merge",
        "--base",
        base.toString(),
        "--adapter",
        adapter.toString(),
        "--out",
        out("folder"),
        "--modelfile",
        out("other"));
  }

  @Test
  void inspectsTheFoldersOfADiffusionModel() throws Exception {
    Typed whole = Typed.run("inspect", BASE);
    assertThat(whole.code()).isZero();
    assertThat(whole.output())
        .contains(
            "StableDiffusionPipeline, a folder of diffusers", "UNet2DConditionModel", " tensors, ")
        .containsPattern("tokenizer +CLIPTokenizer +no tensors");
    Typed part = Typed.run("inspect", BASE + "/unet");
    assertThat(part.code()).isZero();
    assertThat(part.output()).contains("conv_in.weight");
  }

  @Test
  void refusesWhatCannotBe() throws Exception {
    String kohya = PEERS.resolve("kohya.safetensors").toString();
    String out = out("x.safetensors");
    String there = Files.createFile(folder.resolve("there.safetensors")).toString();
    refuses("Say how much is kept", "resize", kohya, "--base", BASE, "--out", out);
    refuses(
        "--sv-fro is 2, but must be above 0 and at most 1",
        "resize",
        kohya,
        "--base",
        BASE,
        "--out",
        out,
        "--sv-fro",
        "2");
    refuses(
        "Give one of",
        "resize",
        kohya,
        "--base",
        BASE,
        "--out",
        out,
        "--sv-fro",
        "0.9",
        "--sv-ratio",
        "4");
    refuses("exists already", "resize", kohya, "--base", BASE, "--out", there, "--rank", "2");
    refuses(
        "--to is gguf, but adapters of diffusion models are written as",
        "resize",
        kohya,
        "--base",
        BASE,
        "--out",
        out,
        "--rank",
        "2",
        "--to",
        "gguf");
    refuses(
        "writes a file that ends in .safetensors",
        "resize",
        kohya,
        "--base",
        BASE,
        "--out",
        out("x.bin"),
        "--rank",
        "2");
    refuses(
        "The adapters add up to nothing",
        "combine",
        "--base",
        BASE,
        "--adapter",
        kohya,
        "--adapter",
        kohya,
        "--scale",
        "1",
        "--scale",
        "-1",
        "--out",
        out);
    refuses(
        "The adapters add up to nothing",
        "combine",
        "--base",
        BASE,
        "--adapter",
        kohya,
        "--scale",
        "0",
        "--out",
        out);
    refuses(
        "The model nowhere does not exist",
        "combine",
        "--base",
        "nowhere",
        "--adapter",
        kohya,
        "--out",
        out);
    refuses("Nothing to combine", "combine", "--base", BASE, "--out", out);
    refuses(
        "--sv-cumulative needs every singular value",
        "extract",
        "--base",
        BASE,
        "--tuned",
        BASE,
        "--sv-cumulative",
        "0.9",
        "--out",
        out);
    refuses(
        "do not differ", "extract", "--base", BASE, "--tuned", BASE, "--rank", "2", "--out", out);
    refuses(
        "two diffusion models",
        "extract",
        "--base",
        BASE,
        "--tuned",
        folder.toString(),
        "--rank",
        "2",
        "--out",
        out);
    assertThat(List.of(Path.of(out))).noneMatch(Files::exists);
  }
}
