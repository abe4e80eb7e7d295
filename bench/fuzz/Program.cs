using Plexus.Fuzz;

return FuzzCommand.Run(args);
