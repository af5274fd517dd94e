package org.loranative.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.export.AdapterSource;
import org.loranative.serve.ChatServer;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-native serve}. */
@Command(
    name = "serve",
    description =
        "Answer chat clients of OpenAI's interface with a language model and its adapters; the base"
            + " alone is a second model there.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final int PORT = 8000;

  @Mixin private AskedModel model;

  @Mixin private ContextOption context;

  @Mixin private AnswerOptions manner;

  @Mixin private ServerOptions server;

  @Override
  public Integer call() throws InterruptedException {
    int port = server.port(PORT);
    List<AdapterSource> sources = model.sources();
    Optional<String> token = server.token();
    String name = name(model.base());
    try (Answers answers = model.open();
        Respondents respondents = new Respondents(answers, context.tokens(answers))) {
      Map<String, Supplier<Respondent>> models = new LinkedHashMap<>();
      if (!sources.isEmpty()) {
        String all = sources.stream().map(a -> name(a.path())).collect(Collectors.joining("+"));
        models.put(name + "+" + all, respondents::adapted);
        models.put(name, respondents::base);
      } else {
        models.put(name, respondents::adapted);
      }
      try (ChatServer chat = new ChatServer(models, manner.usual(), server.host(), port, token)) {
        ServerOptions.sayTaken("server", port, chat.address().getPort());
        System.out.println("Models: " + String.join(", ", models.keySet()));
        System.out.println("Base URL for clients: " + chat.address() + "v1");
        System.out.println("Ctrl-C ends it.");
        new CountDownLatch(1).await();
      }
    }
    return 0;
  }

  /** What a file or folder is called by; an adapter in its run's folder by the run. */
  private static String name(Path path) {
    Path whole = path.toAbsolutePath().normalize();
    Path last = whole.getFileName();
    if (last == null) {
      throw new UserException(path + " names no model.");
    }
    Path parent = whole.getParent();
    boolean inRun = last.toString().equals("adapter") && parent.getFileName() != null;
    return (inRun ? parent.getFileName() : last)
        .toString()
        .replaceFirst("\\.(gguf|safetensors)$", "");
  }
}
