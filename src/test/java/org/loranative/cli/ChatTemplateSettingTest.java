package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.io.Gguf;
import org.loranative.testing.TinyModel;
import org.loranative.text.NamedTemplates;

/** {@code chat_template} and {@code template_kwargs} over whole runs. */
class ChatTemplateSettingTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CHAT =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
          + "{\"role\":\"assistant\",\"content\":\"yes\"}]}\n";

  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    Files.writeString(folder.resolve("data.jsonl"), CHAT.repeat(3));
  }

  private void ownTemplate(String jinja) throws IOException {
    Path config = base.resolve("tokenizer_config.json");
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    json.remove("chat_template");
    if (!jinja.isEmpty()) {
      json.put("chat_template", jinja);
    }
    JSON.writeValue(config.toFile(), json);
  }

  private Typed run(String command, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                command,
                "--set=base_model=" + base,
                "--set=metadata_path=" + folder.resolve("data.jsonl"),
                "--set=output_dir=" + folder.resolve("run"),
                "--set=device=cpu"));
    all.addAll(List.of(more));
    return Typed.run(all.toArray(String[]::new));
  }

  @Test
  void standsInWhereTheBaseHasNoneAndIsWrittenBesideTheAdapter() throws IOException {
    ownTemplate("");
    assertThat(run("train", "--set=max_steps=1").output()).contains("no chat template");
    Typed trained = run("train", "--set=max_steps=2", "--set=chat_template=chatml");
    assertThat(trained.code()).as(trained.output()).isZero();
    Path adapter = folder.resolve("run/adapter");
    assertThat(adapter.resolve("chat_template.jinja")).hasContent(NamedTemplates.read("chatml"));
    JsonNode config = JSON.readTree(adapter.resolve("tokenizer_config.json").toFile());
    assertThat(config.has("chat_template")).isFalse();
    Typed answer =
        Typed.run(
            "generate",
            "--base=" + base,
            "--adapter=" + adapter,
            "--prompt=a",
            "--max-tokens=2",
            "--device=cpu");
    assertThat(answer.code()).as(answer.output()).isZero();
    Typed other = run("train", "--resume", "--set=max_steps=3", "--set=chat_template=zephyr");
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.output()).contains("chat_template");
  }

  @Test
  void isProposedWhereTheBaseHasNone() throws IOException {
    ownTemplate("");
    Path yaml = folder.resolve("my-run.yaml");
    Typed proposed =
        Typed.run(
            "init",
            "--base=" + base,
            "--data=" + folder.resolve("data.jsonl"),
            "--device=cpu",
            "--no-probe",
            "--out=" + yaml);
    assertThat(proposed.code()).as(proposed.output()).isZero();
    assertThat(yaml).content().contains("chat_template: chatml", "max_length: 64");
    Typed trained =
        Typed.run(
            "train",
            "--config=" + yaml,
            "--set=max_steps=1",
            "--set=output_dir=" + folder.resolve("run"));
    assertThat(trained.code()).as(trained.output()).isZero();
    ownTemplate("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}");
    Typed.run(
        "init",
        "--base=" + base,
        "--data=" + folder.resolve("data.jsonl"),
        "--device=cpu",
        "--no-probe",
        "--out=" + folder.resolve("own.yaml"));
    assertThat(folder.resolve("own.yaml")).content().doesNotContain("chat_template: chatml");
  }

  @Test
  void winsOverTheBasesOwn() throws IOException {
    ownTemplate("{% for m in messages %}OWN{{ m.content }}<|im_end|>{% endfor %}");
    Path file = folder.resolve("mine.jinja");
    Files.writeString(
        file, "{% for m in messages %}{{ m.role }}:{{ m.content }}<|im_end|>{% endfor %}");
    Typed shown = run("data", "--set=chat_template=" + file);
    assertThat(shown.output()).contains("user:").doesNotContain("OWN");
    Typed wrong = run("data", "--set=chat_template=chatlm");
    assertThat(wrong.code()).isEqualTo(2);
    assertThat(wrong.output()).contains("Did you mean \"chatml\"?");
  }

  @Test
  void variablesReachTheTemplateAndAreOfTheRun() throws IOException {
    ownTemplate(
        "{% for m in messages %}{{ m.role }}{% if quiet is true %} SHH{% endif %}:{{ m.content"
            + " }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant{% if quiet is true"
            + " %} SHH{% endif %}:{% endif %}");
    assertThat(run("data").output()).doesNotContain("SHH");
    assertThat(run("data", "--set=template_kwargs={quiet: true}").output()).contains("user SHH:");
    Typed own = run("data", "--set=template_kwargs={messages: 1}");
    assertThat(own.code()).isEqualTo(2);
    Typed list = run("data", "--set=template_kwargs=[quiet]");
    assertThat(list.code()).isEqualTo(2);
    assertThat(list.output()).contains("enable_thinking");
    Typed trained = run("train", "--set=max_steps=2", "--set=template_kwargs={quiet: true}");
    assertThat(trained.code()).as(trained.output()).isZero();
    assertThat(run("train", "--resume", "--set=max_steps=3").code()).isEqualTo(2);
    assertThat(
            run("train", "--resume", "--set=max_steps=3", "--set=template_kwargs={quiet: true}")
                .code())
        .isZero();
  }

  /** Template and variables come along where an adapter leaves its run, and where it is merged. */
  @Test
  void goesWhereTheAdapterGoes() throws IOException {
    ownTemplate("");
    Path mine = folder.resolve("mine.jinja");
    Files.writeString(
        mine,
        "{% for m in messages %}{{ m.role }}{{ mood }}: {{ m.content }}<|im_end|>{% endfor %}"
            + "{% if add_generation_prompt %}assistant{{ mood }}: {% endif %}");
    Typed trained =
        run(
            "train",
            "--set=max_steps=1",
            "--set=chat_template=" + mine,
            "--set=template_kwargs={mood: \" (\\\"calm\\\")\", unread: 1}");
    assertThat(trained.code()).as(trained.output()).isZero();
    Path moved = folder.resolve("elsewhere/moved");
    Files.createDirectories(moved.getParent());
    Files.move(folder.resolve("run/adapter"), moved);
    String before =
        "{%- if mood is not defined %}{%- set mood = \" (\\\"calm\\\")\" %}{%- endif %}\n";
    String whole = before + Files.readString(mine);
    assertThat(moved.resolve("chat_template.jinja")).hasContent(whole);

    Path merged = folder.resolve("merged");
    merges(moved, base, merged);
    assertThat(merged.resolve("chat_template.jinja")).hasContent(whole);
    Path gguf = folder.resolve("merged.gguf");
    Path modelfile = folder.resolve("Modelfile");
    merges(moved, base, gguf, "--modelfile=" + modelfile);
    assertThat(Gguf.metadata(gguf).values().get("tokenizer.chat_template")).isEqualTo(whole);
    String turn = "{{ .Prompt }}<|im_end|>assistant (\"calm\"): {{ .Response }}";
    assertThat(modelfile).content().contains(turn);

    Path plain = folder.resolve("plain.gguf");
    merges(moved, base, plain);
    Path again = folder.resolve("again.gguf");
    Files.writeString(moved.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    merges(moved, plain, again);
    assertThat(Gguf.metadata(again).values().get("tokenizer.chat_template"))
        .isEqualTo("{{ messages[0].content }}");
    Path unpacked = folder.resolve("unpacked");
    merges(moved, plain, unpacked);
    assertThat(unpacked.resolve("chat_template.jinja")).hasContent("{{ messages[0].content }}");
    Files.writeString(moved.resolve("chat_template.jinja"), whole);

    Path exported = folder.resolve("exported");
    exports(moved, "peft", exported);
    assertThat(exported.resolve("chat_template.jinja")).hasContent(whole);
    exports(moved, "gguf", folder.resolve("a.gguf"), "--modelfile=" + folder.resolve("other"));
    assertThat(folder.resolve("other")).content().contains(turn);
  }

  /** Where the template is the base's own, its files stay as they are. */
  @Test
  void changesNothingOfAMergedFolderWithoutATemplateOfItsOwn() throws IOException {
    Files.writeString(base.resolve("generation_config.json"), "{ \"eos_token_id\": 0 }");
    Typed trained = run("train", "--set=max_steps=1");
    assertThat(trained.code()).as(trained.output()).isZero();
    Path merged = folder.resolve("same");
    merges(folder.resolve("run/adapter"), base, merged);
    for (String name : List.of("generation_config.json", "tokenizer_config.json")) {
      assertThat(merged.resolve(name)).hasSameBinaryContentAs(base.resolve(name));
    }
    assertThat(merged.resolve("chat_template.jinja")).doesNotExist();
  }

  private static void merges(Path adapter, Path base, Path out, String... more) {
    typed("merge", List.of("--adapter=" + adapter, "--base=" + base, "--out=" + out), more);
  }

  private void exports(Path adapter, String to, Path out, String... more) {
    typed(
        "export",
        List.of(adapter.toString(), "--base=" + base, "--to=" + to, "--out=" + out),
        more);
  }

  private static void typed(String command, List<String> arguments, String... more) {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(arguments);
    all.addAll(List.of(more));
    Typed typed = Typed.run(all.toArray(String[]::new));
    assertThat(typed.code()).as(typed.output()).isZero();
  }
}
